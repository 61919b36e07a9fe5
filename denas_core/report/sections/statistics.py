"""The statistics of a report, in formulas that can be checked by hand."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from denas_core.values.ranking import average_ranks

PERMUTATIONS = 999


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile of at least one value."""
    low, median, high = np.quantile(np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)


def share_explained(values: Sequence[float], groups: Sequence[Hashable]) -> tuple[float, float] | None:
    """Return the share of the variance of ranks that groups explain, and the p-value of this share.

    The share is eta squared of the Kruskal-Wallis test, corrected for the number of groups:
    (H - k + 1) / (n - k), at least 0 (Kruskal and Wallis 1952, J. Am. Stat. Assoc. 47, 583-621; the correction as in
    Tomczak and Tomczak 2014, Trends in Sport Sciences 1(21), 19-25). The second number is the p-value of a
    permutation test on H with `PERMUTATIONS` draws from a fixed seed.

    Returns:
        None if there are fewer than two groups, not more values than groups, or all values are equal.
    """
    labels = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    count, size = len(labels), len(values)
    ranks = average_ranks(np.asarray(values, dtype=np.float64))
    ranks -= ranks.mean()
    total = float(np.sum(ranks**2))
    if count < 2 or size <= count or total == 0:
        return None
    members = np.zeros((count, size))
    members[[labels[group] for group in groups], np.arange(size)] = 1
    sizes = members.sum(axis=1)
    observed = float(np.sum((members @ ranks) ** 2 / sizes)) / total
    rng = np.random.default_rng(0)
    as_large = 0
    for _ in range(PERMUTATIONS):
        between = float(np.sum((members @ rng.permutation(ranks)) ** 2 / sizes)) / total
        as_large += between >= observed - 1e-12
    share = ((size - 1) * observed - count + 1) / (size - count)
    return max(0.0, share), (1 + as_large) / (1 + PERMUTATIONS)


def histogram(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Return the number of values between each two edges. The last interval includes its upper edge."""
    return [int(count) for count in np.histogram(np.asarray(values, dtype=np.float64), bins=list(edges))[0]]


def bin_edges(values: Sequence[float], *, bins: int, log: bool) -> list[float]:
    """Return the edges of `bins` intervals that contain all values, with equal widths, or equal ratios with `log`."""
    low, high = min(values), max(values)
    if low == high:
        pad = abs(low) * 0.05 or 0.5
        low, high = low - pad, high + pad
    spaced = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    edges = [float(edge) for edge in spaced]
    return [low, *edges[1:-1], high]


def spans_decades(values: Sequence[float], ratio: float = 6.0) -> bool:
    """Return whether values are positive and differ enough for a logarithmic axis."""
    return bool(values) and min(values) > 0 and max(values) / min(values) >= ratio
