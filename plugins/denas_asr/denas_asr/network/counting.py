"""The cost of a network from those of networks of one block: in a search it is asked for far more often than a score.

A block costs the same wherever it stands, and beside it only what every block gets is alive. So each kind of block is
counted once, in a network of its own, and what a network has besides its blocks from one of two blocks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

FLOAT_BYTES = 4
_WEIGHTS = "weight_bytes"


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """What is known of a network.

    Attributes:
        sums: Parameters, FLOPs and bytes of weights by name, of which every block adds its own.
        peak_bytes: Largest sum of the input and the activations alive at one time, in inference on one sample.
    """

    sums: Mapping[str, int]
    peak_bytes: int

    @classmethod
    def of(cls, cost: Mapping[str, float]) -> Count:
        """Return what was counted of a whole network."""
        weights = round(cost["size_mb"] * 1e6)
        counts = {name: int(value) for name, value in cost.items() if not name.endswith("_mb")}
        return cls({**counts, _WEIGHTS: weights}, round(cost["memory_mb"] * 1e6) - weights)


def cost_of(blocks: Sequence[Count], *, one: Count, two: Count) -> dict[str, float]:
    """Return the cost of a network of several blocks.

    Args:
        blocks: For each block, a network of that block alone.
        one: A network of one block of some kind.
        two: A network of two blocks of that kind.
    """
    sums = {
        name: sum(block.sums[name] for block in blocks) - (len(blocks) - 1) * (2 * count - two.sums[name])
        for name, count in one.sums.items()
    }
    weights = sums.pop(_WEIGHTS)
    peak = max(block.peak_bytes for block in blocks)
    return {**sums, "size_mb": weights / 1e6, "memory_mb": (weights + peak) / 1e6}
