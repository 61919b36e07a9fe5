"""Compute the cost of a network from the costs of networks with one block.

A search needs the cost of far more candidates than it scores, so the cost must be cheap. A block costs the same at
every depth, and while it runs, the only other live tensors are those that all blocks share. So each kind of block is
counted once, in a network of its own, and the rest of the network is found from a network of two blocks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

FLOAT_BYTES = 4
_WEIGHTS = "weight_bytes"


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """The counted cost of a network.

    Attributes:
        sums: Parameters, FLOPs and bytes of weights by name; each is a sum over blocks.
        peak_bytes: Largest total size of input and activations that exist at one time, in inference on one sample.
    """

    sums: Mapping[str, int]
    peak_bytes: int

    @classmethod
    def of(cls, cost: Mapping[str, float]) -> Count:
        """Return the count for a whole network."""
        weights = round(cost["size_mb"] * 1e6)
        counts = {name: int(value) for name, value in cost.items() if not name.endswith("_mb")}
        return cls({**counts, _WEIGHTS: weights}, round(cost["memory_mb"] * 1e6) - weights)


def cost_of(blocks: Sequence[Count], *, one: Count, two: Count) -> dict[str, float]:
    """Return the cost of a network of several blocks.

    Args:
        blocks: For each block, the count for a network with only this block.
        one: The count for a network of one block of some kind.
        two: The count for a network of two blocks of that kind.
    """
    sums = {
        name: sum(block.sums[name] for block in blocks) - (len(blocks) - 1) * (2 * count - two.sums[name])
        for name, count in one.sums.items()
    }
    weights = sums.pop(_WEIGHTS)
    peak = max(block.peak_bytes for block in blocks)
    return {**sums, "size_mb": weights / 1e6, "memory_mb": (weights + peak) / 1e6}
