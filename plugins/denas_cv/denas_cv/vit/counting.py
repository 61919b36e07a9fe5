"""The cost of a vision transformer from those of its blocks: in a search it is asked for far more often than a score.

A block costs the same wherever it stands, and beside it only what every block gets is alive. So each kind of block is
counted once, in a network of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """Totals of a network, or of a part of it.

    Attributes:
        params: Number of parameters.
        flops: Operations on one sample, a multiply-add being two.
        peak_bytes: Largest sum of the input and the activations alive at one time, in inference on one sample.
    """

    params: int
    flops: int
    peak_bytes: int

    @classmethod
    def of(cls, cost: dict[str, float]) -> Count:
        """Return the totals of a network whose cost was counted."""
        peak = round(cost["memory_mb"] * 1e6) - FLOAT_BYTES * int(cost["params"])
        return cls(int(cost["params"]), int(cost["flops"]), peak)


def count_ends(
    *, channels: int, patch_size: int, patches: int, width: int, classes: int, positions: bool
) -> Count:
    """Return the totals of a network without blocks; its peak is that of any network with blocks, or less."""
    patch = channels * patch_size**2
    tokens = (patches + 1) * width if positions else 0
    params = (patch + 1) * width + width + tokens + 2 * width + (width + 1) * classes
    return Count(params, 2 * patches * patch * width + 2 * width * classes, 0)


def costs(ends: Count, networks: Iterable[Count], *, head: int) -> dict[str, float]:
    """Return the cost of a network of several blocks.

    Args:
        ends: What it has besides its blocks.
        networks: For each block, the totals of a network of that block alone.
        head: Parameters of the head.
    """
    params, flops, peak = ends.params, ends.flops, ends.peak_bytes
    for network in networks:
        params += network.params - ends.params
        flops += network.flops - ends.flops
        peak = max(peak, network.peak_bytes)
    weight_bytes = FLOAT_BYTES * params
    return {
        "params": params,
        "trainable_params": params,
        "flops": flops,
        "size_mb": weight_bytes / 1e6,
        "memory_mb": (weight_bytes + peak) / 1e6,
        "params_trunk": params - head,
        "params_head": head,
    }
