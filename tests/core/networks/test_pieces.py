"""The pieces of a network add up to it, in its operators and in its costs."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from denas_core import Architecture, Batch, Knob, SearchSpace, continuous_batch
from denas_core.errors import Infeasible
from denas_core.latency.pieces import PieceReader
from denas_core.networks import Piece, pieces_of_blocks, pieces_of_choices

WIDTHS = (3, 5, 8)
KERNELS = (1, 3)


class Block(nn.Module):
    """A part for each choice: a convolution, and two linear layers."""

    def __init__(self, kernel: int, width: int) -> None:
        super().__init__()
        self.mixing = nn.Conv1d(6, 6, kernel, padding="same")
        self.wide, self.narrow = nn.Linear(6, width), nn.Linear(width, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixing(x.transpose(1, 2)).transpose(1, 2)
        return x + self.narrow(self.wide(x).relu())


class Network(nn.Sequential):
    def __init__(self, blocks: Sequence[tuple[int, int]]) -> None:
        super().__init__(nn.Linear(4, 6), *(Block(*block) for block in blocks), nn.Linear(6, 2))


@dataclasses.dataclass(kw_only=True)
class Blocks(SearchSpace):
    """Networks of one to four blocks; `by_choice` says which pieces they have."""

    by_choice: bool = True

    def knobs(self) -> tuple[Knob, ...]:
        depths = (1, 2, 3, 4)
        layers = itertools.chain.from_iterable(
            (
                Knob(f"layer{i}.kernel", KERNELS, layer=i, when=("depth", depths[i - 1 :])),
                Knob(f"layer{i}.width", WIDTHS, layer=i, when=("depth", depths[i - 1 :])),
            )
            for i in depths
        )
        return (Knob("depth", depths), *layers)

    def blocks(self, arch: Architecture) -> list[tuple[int, int]]:
        depth: Any = arch["depth"]
        values: dict[str, Any] = arch.as_dict()
        return [(values[f"layer{i}.kernel"], values[f"layer{i}.width"]) for i in range(1, depth + 1)]

    def build(self, arch: Architecture, *, head: Any = None, variant: Any = "full") -> nn.Module:
        return Network(self.blocks(arch))

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((7, 4), size, seed=seed, kind=kind)

    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        return {"first": ("0.",)}

    def pieces(self, arch: Architecture) -> Sequence[Piece]:
        def build(blocks: Any) -> nn.Module:
            return Network(blocks)

        if self.by_choice:
            return pieces_of_choices(self.blocks(arch), (KERNELS[0], WIDTHS[0]), build)
        return pieces_of_blocks(self.blocks(arch), build)


@pytest.mark.parametrize("by_choice", [True, False])
def test_pieces_have_the_cost_and_the_operators_of_their_network(by_choice: bool) -> None:
    space, rng = Blocks(by_choice=by_choice), random.Random(0)
    reader = PieceReader(space, batch_size=2)
    for arch in (space.smallest(), space.full(), *(space.sample(rng) for _ in range(10))):
        assert arch is not None
        cost = space.cost(arch)
        assert cost == space.counted_cost(arch), arch.as_dict()
        assert list(cost) == list(space.counted_cost(arch))
        whole = reader.of_piece(Piece(key=None, build=lambda arch=arch: space.build(arch)))  # type: ignore[misc]
        assert reader.of_network(arch) == whole, arch.as_dict()


def test_there_are_as_many_pieces_as_choices() -> None:
    space, rng = Blocks(), random.Random(0)
    keys = {piece.key for _ in range(200) for piece in space.pieces(space.sample(rng))}
    # One block and two blocks of the usual choices, and a block for each other kernel and each other width.
    assert len(keys) == 2 + 1 + 2


def test_a_piece_is_counted_once_and_the_batch_only_where_it_is_run() -> None:
    built: list[int] = []

    @dataclasses.dataclass(kw_only=True)
    class Parts(Blocks):
        def pieces(self, arch: Architecture) -> Sequence[Piece]:
            def build() -> nn.Module:
                built.append(1)
                return nn.Linear(6, 5)

            return [
                Piece(
                    key="linear",
                    build=build,
                    count=3,
                    inputs=lambda size: (torch.empty(size, 7, 6),),
                    part="first",
                ),
                Piece(
                    key="large", build=nn.Identity, count=0, inputs=lambda size: (torch.empty(size, 1000),)
                ),
            ]

    space = Parts()
    for arch in (space.smallest(), space.full()):
        assert arch is not None
        assert space.cost(arch) == {
            "params": 3 * 35,
            "trainable_params": 3 * 35,
            "flops": 3 * 2 * 7 * 6 * 5,
            "size_mb": 3 * 35 * 4 / 1e6,
            "memory_mb": (3 * 35 * 4 + 4 * 1000) / 1e6,
            "params_first": 3 * 35,
        }
    assert built == [1]


def test_a_piece_that_torch_cannot_describe_has_no_cost() -> None:
    @dataclasses.dataclass(kw_only=True)
    class Huge(Blocks):
        def pieces(self, arch: Architecture) -> Sequence[Piece]:
            return [Piece(key="huge", build=lambda: nn.Linear(2**40, 2**40))]

    space = Huge()
    arch = space.smallest()
    assert arch is not None
    with pytest.raises(Infeasible, match="is too large: its sizes do not fit into 64 bits"):
        space.cost(arch)
