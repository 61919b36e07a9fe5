"""Pieces of a network: networks whose operators, added up, are those of a larger one.

A search needs the costs and the latency of far more networks than it scores. A piece is counted and read only once, in
whatever network it is.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

B = TypeVar("B", bound=Hashable)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A network whose operators and parameters are a part of those of another one.

    Attributes:
        key: Equal for equal pieces of one space.
        build: Makes the network of the piece. It is called with the meta device as default.
        count: How often the piece is in the network. It is negative for what other pieces have too often. It is 0 for a
            piece that is there only because the network needs as much memory.
        inputs: Makes what the network of the piece is called with, for a number of samples, with the meta device as
            default. By default the space's `forward` runs the piece on a batch of the space.
        part: For a piece with `inputs`, the part to which its parameters belong, see `SearchSpace.parts`.
    """

    key: Hashable
    build: Callable[[], nn.Module]
    count: int = 1
    inputs: Callable[[int], tuple[Tensor, ...]] | None = None
    part: str = ""


def pieces_of_blocks(
    blocks: Sequence[B], build: Callable[[tuple[B, ...]], nn.Module], *, key: Hashable = None
) -> list[Piece]:
    """Return the pieces of a network of blocks, each of which is the same at every depth.

    The pieces are networks of one block, and one network of two blocks, which shows what is not part of a block.

    Args:
        blocks: The blocks of the network, at least one, in any hashable form.
        build: Makes a network of the given blocks.
        key: What else the network depends on, such as its width.
    """
    usual = blocks[0]
    counts: Counter[tuple[B, ...]] = Counter((block,) for block in blocks)
    counts[usual,] -= 2 * (len(blocks) - 1)
    counts[usual, usual] += len(blocks) - 1
    return [
        Piece(key=(key, some), build=functools.partial(build, some), count=count)
        for some, count in counts.items()
        if count
    ]


def pieces_of_choices(
    blocks: Sequence[tuple[Hashable, ...]],
    usual: tuple[Hashable, ...],
    build: Callable[[tuple[tuple[Hashable, ...], ...]], nn.Module],
    *,
    key: Hashable = None,
) -> list[Piece]:
    """Return the pieces of a network of blocks with several choices each, such as attention heads and width of an MLP.

    No operator may depend on two choices. Each choice is then counted in a network of one block whose other choices are
    usual. So there are as many pieces as choices, and not as many as there are combinations of them.

    Args:
        blocks: The choices of each block, at least one block.
        usual: For each choice the value with which a block needs the least memory.
        build: Makes a network of the given blocks.
        key: What else the network depends on, such as its width.
    """
    further = len(blocks) - 1
    counts: Counter[tuple[tuple[Hashable, ...], ...]] = Counter()
    for place, values in enumerate(zip(*blocks, strict=True)):
        for value, count in Counter(values).items():
            if value != usual[place]:
                counts[(*usual[:place], value, *usual[place + 1 :]),] = count
    counts[usual,] = 1 - further - counts.total()
    counts[usual, usual] = further
    return [
        Piece(key=(key, some), build=functools.partial(build, some), count=count)
        for some, count in counts.items()
        if count
    ]
