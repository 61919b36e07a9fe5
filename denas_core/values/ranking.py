"""Combining scores into a ranking, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .table import Direction, Table

Floats = npt.NDArray[np.float64]


def log_rank_sum(table: Table) -> list[float]:
    """Return sum_k w_k log(r_k / m) for each row, where r_k is its rank in column k among m networks, and m is the best
    rank.

    The m networks are the sample of the table, see `ranks_against`. Without a sample they are the rows themselves:
    equal values then share the mean of their ranks, a missing value has the lowest rank, and the result depends on the
    other rows. A row that equals the best of the networks in every column has 0. The formula is that of AZ-NAS (Lee and
    Ham 2024, arXiv:2403.19232, eq. 10), where it ranks networks better than the plain sum of ranks.
    """
    total = np.zeros(len(table))
    for name, column in table.columns.items():
        goodness = _goodness(column, table.directions[name])
        sample = goodness if table.sample is None else _goodness(table.sample[name], table.directions[name])
        if table.sample is None or not np.isfinite(sample).any():
            ranks, best = average_ranks(goodness), max(len(goodness), 1)
        else:
            ranks, best = ranks_against(sample, goodness), len(sample)
        total += table.weights[name] * np.log(ranks / best)
    return [float(value) for value in total]


def _goodness(column: Sequence[float | None], direction: Direction) -> Floats:
    sign = 1.0 if direction == "maximize" else -1.0
    return np.array([-math.inf if value is None else sign * value for value in column])


def ranks_against(sample: Floats, values: Floats) -> Floats:
    """Return the rank of each value among the n values of a sample, from near 0 to more than n; larger is better.

    A value of the sample has its own rank in it. Between two of them ranks are interpolated. Above the best, ranks go
    on at the mean density of the better half: n + d with d = (value - best) / s and s = (best - median) / (n / 2).
    Below the worst they approach the number of missing values in the sample: 1 / (1 + d) with d likewise from the worse
    half. A value that is missing itself has the rank of the missing ones of the sample, or 1 / n if there are none.

    Args:
        sample: Values of the sample, at least one of them finite; minus infinity for those that are missing.
        values: The values to rank.
    """
    count = len(sample)
    # A quarter, so that no difference overflows.
    sample, values = sample / 4, values / 4
    known = sample[np.isfinite(sample)]
    missing = count - len(known)
    knots, places = np.unique(known, return_index=True)
    ranks: Floats = np.interp(values, knots, (missing + average_ranks(known))[places])
    worst, median, best = knots[0], np.median(known), knots[-1]
    above, below, lacking = values > best, values < worst, np.isneginf(values)
    ranks[above] = count + _distance(values[above] - best, (best - median) / (len(known) / 2))
    ranks[below] = missing + 1 / (1 + _distance(worst - values[below], (median - worst) / (len(known) / 2)))
    ranks[lacking] = (missing + 1) / 2 if missing else 1 / count
    return ranks


def _distance(beyond: Floats, unit: float) -> Floats:
    """Return a distance from the end of a sample in units of its spacing; 1 if half of the sample is equal."""
    if unit == 0:
        return np.ones_like(beyond)
    with np.errstate(over="ignore"):
        return np.minimum(beyond / unit, np.finfo(np.float64).max / 2)


def average_ranks(values: Floats) -> Floats:
    """Return ranks from 1 (smallest) to ``len(values)``; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: Floats = last - (counts - 1) / 2.0
    return mean_rank[inverse]


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Kendall's rank correlation tau-b of two columns: 1 for the same order, -1 for the reverse.

    It is the number of pairs in the same order minus the number of pairs in the reverse order, divided by the geometric
    mean of the numbers of pairs without a tie in each column (Kendall 1945, doi:10.1093/biomet/33.3.239). It is None if
    all values of a column are equal.

    Raises:
        ValueError: the columns differ in length.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) != len(b):
        raise ValueError(f"columns of {len(a)} and {len(b)} values have no rank correlation")
    agreement = untied_a = untied_b = 0
    for i in range(len(a) - 1):
        # Values are compared and not subtracted, because the difference of two infinities is NaN.
        order_a = (a[i + 1 :] > a[i]).astype(np.int64) - (a[i + 1 :] < a[i])
        order_b = (b[i + 1 :] > b[i]).astype(np.int64) - (b[i + 1 :] < b[i])
        agreement += int(order_a @ order_b)
        untied_a += int(np.count_nonzero(order_a))
        untied_b += int(np.count_nonzero(order_b))
    if not untied_a or not untied_b:
        return None
    return agreement / math.sqrt(untied_a * untied_b)


def pareto_front(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the points that no other dominates; every coordinate is minimised.

    A point dominates another if it is not worse in any coordinate and better in one. Equal points are all kept or all
    left out.
    """
    if not points:
        return []
    array = np.asarray(points, dtype=np.float64)
    unique, inverse = np.unique(array, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    # np.unique sorts by the first coordinate, then by the next, so a later point never dominates an earlier one.
    front: list[int] = []
    for index, point in enumerate(unique):
        if not front or not np.any(np.all(unique[front] <= point, axis=1)):
            front.append(index)
    kept = set(front)
    return [index for index in range(len(array)) if int(inverse[index]) in kept]
