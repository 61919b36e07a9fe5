from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
import torch
from torch import nn

from denas_core import Knob, SearchSpace
from denas_core.registry.registry import Registry
from denas_core.report.sections.drawing import draw
from denas_core.values.batch import Batch, continuous_batch


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Linear(width, width)
        self.feed = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.feed(self.attention(x)), None


class Encoder(nn.Module):
    """As in transformers: a list of layers that is never called, inside a module that is."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(width) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layer:
            x, _ = layer(x)
        return x


class Model(nn.Module):
    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        # Declared last to first: the drawing follows the run, not the declaration.
        self.head = nn.Linear(width, 3)
        self.encoder = Encoder(depth, width)
        self.embed = nn.Linear(5, width)
        self.never = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.encoder(self.embed(x)))
        return out


@dataclasses.dataclass(kw_only=True)
class Stack(SearchSpace):
    """A stack of equal layers."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("depth", (4, 12)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Model(arch["depth"], 8)

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((7, 5), size, seed=seed, kind=kind)


def test_a_list_of_layers_is_opened_and_equal_layers_are_one_row() -> None:
    space = Stack()
    drawing = draw(space, space.architecture({"depth": 12}))
    blocks = drawing["blocks"]
    assert [block["name"] for block in blocks] == ["embed", "encoder.layer.0", "head", "never"]
    layers = blocks[1]
    assert (layers["count"], layers["last"], layers["type"]) == (12, "encoder.layer.11", "Layer")
    assert layers["of"] == {"Linear": 2}
    assert layers["shape"] == [7, 8]
    assert layers["params"] == 12 * 2 * (8 * 8 + 8)
    # Seven positions, two products of 8 x 8, a multiply-add is two.
    assert layers["flops"] == 12 * 2 * 7 * 8 * 8 * 2
    assert blocks[3]["shape"] is None and blocks[3]["flops"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_blocks_of_a_network_add_up_to_its_cost(seed: int) -> None:
    space = Registry.discover().create("space", "cv/cnn")
    arch = space.sample(random.Random(seed))
    cost, drawing = space.cost(arch), draw(space, arch)
    assert drawing["params"] == cost["params"] == sum(block["params"] for block in drawing["blocks"])
    assert drawing["flops"] == cost["flops"] == sum(block["flops"] for block in drawing["blocks"])
    assert len(drawing["blocks"]) >= 6
    assert drawing["blocks"][-1]["shape"] == [10]
