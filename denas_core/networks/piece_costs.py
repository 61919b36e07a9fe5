"""The cost of a network, added up from those of its pieces.

A search needs the cost of far more networks than it scores, and counting a whole network on the meta device takes tens
of milliseconds. A piece is counted only once, in whatever network it is.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING

from denas_core.values.batch import Batch

from .cost import MEGABYTE, KnownResults, count_cost
from .pieces import Piece

if TYPE_CHECKING:
    from torch import nn

MOST_PIECES = 20_000
_TOTALS = ("params", "trainable_params", "flops")


@dataclasses.dataclass(frozen=True, slots=True)
class _Count:
    """The cost of a piece.

    Attributes:
        sums: Parameters, FLOPs and parameters of parts by name. A network has the sums of its pieces.
        weight_bytes: Size of parameters and buffers.
        peak_bytes: Largest size of inputs and activations that exist at the same time.
    """

    sums: Mapping[str, int]
    weight_bytes: int
    peak_bytes: int


class PieceCosts:
    """Counts the pieces of the networks of one space, each of them once.

    Args:
        batch: Makes one sample of the space. It is called with the meta device as default.
        forward: Runs a network on a sample.
        parts: Returns the prefixes of parameter names by part.
        name: The name of a network in an error.
    """

    def __init__(
        self,
        *,
        batch: Callable[[], Batch],
        forward: Callable[[nn.Module, Batch], object],
        parts: Callable[[nn.Module], Mapping[str, tuple[str, ...]]],
        name: str,
    ) -> None:
        self._batch = batch
        self._forward = forward
        self._parts = parts
        self._name = name
        self._results: KnownResults = {}
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()

    def of(self, pieces: Iterable[Piece]) -> dict[str, float]:
        """Return the cost of a network, as `count_cost` does.

        Raises:
            Infeasible: the sizes of a piece are too large for torch.
        """
        sums: Counter[str] = Counter()
        weight_bytes = peak_bytes = 0
        for piece in pieces:
            count = self._counts.get(piece.key) or self._counted(piece)
            for name, value in count.sums.items():
                sums[name] += piece.count * value
            weight_bytes += piece.count * count.weight_bytes
            peak_bytes = max(peak_bytes, count.peak_bytes)
        bytes_of = {
            "size_mb": weight_bytes / MEGABYTE,
            "memory_mb": (weight_bytes + peak_bytes) / MEGABYTE,
        }
        return {**{name: sums.pop(name) for name in _TOTALS}, **bytes_of, **sums}

    def _counted(self, piece: Piece) -> _Count:
        if piece.inputs is None:
            cost = count_cost(
                piece.build,
                batch=self._batch,
                forward=self._forward,
                parts=self._parts,
                name=self._name,
                known=self._results,
            )
        else:
            inputs = piece.inputs
            cost = count_cost(
                piece.build,
                batch=lambda: Batch(inputs={str(place): given for place, given in enumerate(inputs(1))}),
                forward=lambda model, sample: model(*sample.inputs.values()),
                # Every name begins with the empty prefix.
                parts=lambda _: {piece.part: ("",)} if piece.part else {},
                name=self._name,
                known=self._results,
            )
        weight_bytes = round(cost.pop("size_mb") * MEGABYTE)
        peak_bytes = round(cost.pop("memory_mb") * MEGABYTE) - weight_bytes
        count = _Count({name: int(value) for name, value in cost.items()}, weight_bytes, peak_bytes)
        if len(self._counts) >= MOST_PIECES:
            self._counts.popitem(last=False)
        self._counts[piece.key] = count
        return count
