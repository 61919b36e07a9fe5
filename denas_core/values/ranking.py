"""Combining scores into a ranking, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .table import Table


def log_rank_sum(table: Table) -> list[float]:
    """Return sum_k w_k log(r_k / m) for each row, where r_k is its rank in column k among m rows, and m is the best
    rank.

    Equal values share the mean of their ranks, and a missing value has the lowest rank. The result depends on the other
    rows: a row that is best in every column has 0. The formula is that of AZ-NAS (Lee and Ham 2024, arXiv:2403.19232,
    eq. 10), where it ranks networks better than the plain sum of ranks.
    """
    total = np.zeros(len(table))
    for name, column in table.columns.items():
        sign = 1.0 if table.directions[name] == "maximize" else -1.0
        goodness = np.array([-math.inf if value is None else sign * value for value in column])
        total += table.weights[name] * np.log(average_ranks(goodness) / max(len(goodness), 1))
    return [float(value) for value in total]


def average_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ranks from 1 (smallest) to ``len(values)``; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: npt.NDArray[np.float64] = last - (counts - 1) / 2.0
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
