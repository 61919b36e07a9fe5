"""Compute the cost of a vision transformer from the costs of its blocks.

A search needs costs far more often than scores. A block costs the same at every depth, and while it runs, the only
other live tensors are those that all blocks share. So each kind of block is counted once, in a network of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """The cost of a network, or of a part of it.

    Attributes:
        params: Number of parameters.
        flops: Operations on one sample; a multiply-add counts as two.
        peak_bytes: Largest total size of input and activations that exist at one time, in inference on one sample.
    """

    params: int
    flops: int
    peak_bytes: int

    @classmethod
    def of(cls, cost: dict[str, float]) -> Count:
        """Return the counted cost of a network as a `Count`."""
        peak = round(cost["memory_mb"] * 1e6) - FLOAT_BYTES * int(cost["params"])
        return cls(int(cost["params"]), int(cost["flops"]), peak)


def count_ends(
    *, channels: int, patch_size: int, patches: int, width: int, classes: int, positions: bool
) -> Count:
    """Return the cost of a network without blocks; its peak is at most that of any network with blocks."""
    patch = channels * patch_size**2
    tokens = (patches + 1) * width if positions else 0
    params = (patch + 1) * width + width + tokens + 2 * width + (width + 1) * classes
    return Count(params, 2 * patches * patch * width + 2 * width * classes, 0)


def costs(ends: Count, networks: Iterable[Count], *, head: int) -> dict[str, float]:
    """Return the cost of a network of several blocks.

    Args:
        ends: The cost of everything but the blocks.
        networks: For each block, the cost of a network with only this block.
        head: Number of parameters of the head.
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
