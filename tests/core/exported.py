"""Models to export, and an exporter that does as it is told."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import torch
from torch import nn

from denas_core.contracts.component import option
from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.trained_model import TrainedModel
from denas_core.models.trained import build_network
from denas_core.networks.stages import Stage, Staged
from denas_core.testing.samples.spaces import SampleMLP
from denas_core.values.batch import Batch, OpenDimension, Outputs

FACTS = {"labels": ["cat", "dog"], "mean": [0.5, 0.25], "std": [1.0, 2.0]}


def model_of(space: SearchSpace, *, facts: Any = FACTS) -> TrainedModel:
    """Return a model of an architecture of `space` with fresh weights."""
    arch = space.sample(random.Random(0))
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    return TrainedModel(space=space, arch=arch, network=network, facts=facts)


def sample_model() -> TrainedModel:
    """Return a small model of a space that no plugin provides."""
    return model_of(SampleMLP().named("sample/mlp"))


class TwoHeaded(nn.Module):
    """Two linear layers side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(12, 3), nn.Linear(12, 5)


@dataclasses.dataclass(kw_only=True)
class Answers(SampleMLP):
    """A space whose networks give two logits, as for the start and the end of an answer."""

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> nn.Module:
        return TwoHeaded()

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        network: Any = model
        x = batch.inputs["x"]
        return Outputs(features=x, logits={"start": network.first(x), "end": network.second(x)})


@dataclasses.dataclass(kw_only=True)
class Sequences(SampleMLP):
    """A space whose networks take sequences of any length from 3 on, in two inputs, and leave out the first."""

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> nn.Module:
        return nn.Linear(4, 2)

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        device = "meta" if kind == "cost" else "cpu"
        x, weight = (torch.rand(size, 8, width, device=device) for width in (4, 1))
        places = {1: OpenDimension("positions", at_least=3)}
        return Batch(inputs={"x": x, "weight": weight}, open={"x": places, "weight": places})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        x = batch.inputs["x"]
        return Outputs(features=x, logits={"logits": model((x * batch.inputs["weight"])[:, 1:])})


class Halves(nn.Module, Staged):
    """A linear layer behind another one, as a network of two stages."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(12, 3), nn.Linear(3, 5)

    def stages(self) -> tuple[Stage, ...]:
        first = Stage(name="first", module=self.first, inputs=("x",), outputs=("middle",))
        return first, Stage(name="second", module=self.second, inputs=("middle",), outputs=("logits",))


@dataclasses.dataclass(kw_only=True)
class InStages(SampleMLP):
    """A space whose networks say what their stages are."""

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> nn.Module:
        return Halves()

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        network: Any = model
        middle = network.first(batch.inputs["x"])
        return Outputs(features=middle, logits={"logits": network.second(middle)})


@dataclasses.dataclass(kw_only=True)
class Told(Exporter):
    """Writes a text, and answers as the network does, but for what it is told."""

    off_by: float = option(0.0, "Share of the largest output by which the first one is off")
    rename: str = option("", "Another name for the output")
    cut: bool = option(False, "Whether the last row is missing")
    nan: bool = option(False, "Whether an output is not a number")

    def write(self, model: TrainedModel, directory: Path) -> Path:
        self.__dict__["model"] = model
        (directory / "sub").mkdir()
        (directory / "sub" / "weights").write_text("weights")
        (directory / "told.txt").write_text("told")
        return directory / "told.txt"

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        assert artefact.read_text() == "told"
        model = self.__dict__["model"]
        with torch.no_grad():
            found = model.space.forward(model.network, batch).logits["logits"].clone()
        found[0, 0] += self.off_by * float(found.abs().max())
        if self.nan:
            found[-1, -1] = float("nan")
        return {self.rename or "logits": found[:-1] if self.cut else found}

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        return f"open({str(artefact)!r})"
