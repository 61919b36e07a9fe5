"""An exporter that breaks each promise of an exporter, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.trained_model import TrainedModel
from denas_core.models.trained import build_network
from denas_core.values.batch import Batch


@dataclasses.dataclass(kw_only=True)
class Plain(Exporter):
    """Weights alone; whoever opens them has to know the network."""

    standalone = True

    def write(self, model: TrainedModel, directory: Path) -> Path:
        self.__dict__["model"] = model
        save_file(model.network.state_dict(), directory / "weights.safetensors")
        return directory / "weights.safetensors"

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        model = self.__dict__["model"]
        space = model.space
        network = space.load(build_network(space, model.arch), model.arch, seed=7)
        network.load_state_dict(load_file(artefact))
        with torch.no_grad():
            return dict(space.forward(network.eval(), batch).logits)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        return f"from safetensors.torch import load_file\nweights = load_file({str(artefact)!r})"


class Elsewhere(Plain):
    def write(self, model: TrainedModel, directory: Path) -> Path:
        return super().write(model, directory).with_name("model.bin")


class Louder(Plain):
    """Answers a little more than the network does."""

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: tensor * 1.01 for name, tensor in super().outputs(artefact, batch).items()}


class FixedSize(Plain):
    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: tensor[:2] for name, tensor in super().outputs(artefact, batch).items()}


class Rooted(Plain):
    """Leaves an absolute path behind, as an external weights file may be named."""

    def write(self, model: TrainedModel, directory: Path) -> Path:
        (directory / "index").write_text(str(super().write(model, directory)))
        return directory / "index"

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        return super().outputs(Path(artefact.read_text()), batch)


class Folding(Plain):
    """Scales the weights of the model itself."""

    def write(self, model: TrainedModel, directory: Path) -> Path:
        with torch.no_grad():
            next(model.network.parameters()).mul_(2)
        return super().write(model, directory)


class Unfinished(Plain):
    def usage(self, model: TrainedModel, artefact: Path) -> str:
        return "weights = load_file(...)"


class Attached(Plain):
    def usage(self, model: TrainedModel, artefact: Path) -> str:
        return f"import denas_core\n{super().usage(model, artefact)}"


class Tolerant(Plain):
    tolerance = 1.0


class Reseeding(Plain):
    def write(self, model: TrainedModel, directory: Path) -> Path:
        torch.manual_seed(0)
        return super().write(model, directory)


class Chatty(Plain):
    def write(self, model: TrainedModel, directory: Path) -> Path:
        print("writing")
        return super().write(model, directory)


class Noisy(Plain):
    """Draws what it adds to its answers from the generator that everyone shares."""

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: tensor + torch.rand(()) for name, tensor in super().outputs(artefact, batch).items()}


BROKEN: dict[str, Any] = {
    "outputs_are_those_of_the_network": Louder,
    "batches_of_any_size_run": FixedSize,
    "artefacts_can_be_moved": (Elsewhere, Rooted),
    "usage_runs": Unfinished,
    "standalone_forms_need_no_denas": Attached,
    "tolerance_is_small": Tolerant,
    "it_leaves_the_process_alone": Reseeding,
    "it_prints_nothing": Chatty,
    "it_repeats": Noisy,
    "it_leaves_its_arguments_alone": Folding,
}
