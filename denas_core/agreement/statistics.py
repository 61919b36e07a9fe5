"""Rank correlations with bootstrap intervals. A resample is a weight for each row: how often it contains the row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)
BANDS = 4
TOP_SHARE = 0.05
_BLOCK = 512
"""Number of rows, or of resamples, that are processed together; a limit for the memory."""

Floats = npt.NDArray[np.float64]


def draw_resamples(groups: Sequence[int], *, count: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return how often each row occurs in the table itself (line 0, only ones) and in each of `count` resamples.

    Networks are drawn with replacement. Each draw takes all rows of the network.

    Args:
        groups: Number of the network of each row, from 0.
        count: Number of resamples.
        seed: Seed of the draws. Equal tables and seeds have equal resamples, so that scores can be compared in pairs.
    """
    networks = max(groups) + 1
    draws = np.random.default_rng(seed).multinomial(networks, [1 / networks] * networks, size=count)
    return np.vstack([np.ones(len(groups)), draws[:, list(groups)]]).astype(np.float64)


def kendall_taus(first: Floats, second: Floats, weights: Floats) -> Floats:
    """Return Kendall's tau-b of two columns in each resample; NaN if all values of a column are equal.

    The result equals `denas_core.values.ranking.kendall_tau` of the rows, if each row is repeated as often as its
    weight says. Copies of a row are tied in both columns.
    """
    agreement = np.zeros(len(weights))
    light = weights.astype(np.float32)
    for start in range(0, len(first), _BLOCK):
        rows = slice(start, start + _BLOCK)
        # The numbers are whole and below 2**24, so that their sums are exact in float32.
        both = (_signs(first[rows], first) * _signs(second[rows], second)).astype(np.float32)
        agreement += np.einsum("br,br->b", weights[:, rows], (light @ both.T).astype(np.float64))
    untied = _untied_pairs(first, weights) * _untied_pairs(second, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(untied > 0, agreement / np.sqrt(untied), np.nan)


def spearman_rhos(first: Floats, second: Floats, weights: Floats) -> Floats:
    """Return Spearman's rho of two columns in each resample. Ties have their mean rank; NaN is as in `kendall_taus`."""
    found = [_rhos(first, second, weights[at : at + _BLOCK]) for at in range(0, len(weights), _BLOCK)]
    return np.concatenate(found)


def taus_within_bands(values: Floats, target: Floats, size: Floats, weights: Floats) -> Floats:
    """Return the mean tau-b within `BANDS` equal parts of the rows, from small to large networks, in each resample.

    A band is left out of the mean if all its values in a column are equal. The result is NaN if all sizes are equal.
    """
    if len(set(size.tolist())) < 2:
        return np.full(len(weights), np.nan)
    parts = np.array_split(np.argsort(size, kind="stable"), BANDS)
    taus = np.array([kendall_taus(values[part], target[part], weights[:, part]) for part in parts])
    known = np.isfinite(taus)
    total = np.where(known, taus, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean: Floats = total / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return mean


def regret(values: Floats, target: Floats, top: int) -> float:
    """Return the difference between the best target of all rows and the best target of the `top` rows by value.

    Among rows with equal values, those with the worst target come first, so that a tie is not an advantage.
    """
    chosen = np.lexsort((target, -values))[:top]
    return float(target.max() - target[chosen].max())


def top_count(rows: int) -> int:
    """Return `TOP_SHARE` of the number of rows, but at least 1."""
    return max(1, round(TOP_SHARE * rows))


def interval(resampled: Floats) -> list[float] | None:
    """Return the ends of the 95 % interval of a statistic from its values in resamples; None if none is finite."""
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return None
    low, high = np.percentile(known, PERCENTILES)
    return [float(low), float(high)]


def tied_rows(values: Floats) -> int:
    """Return the number of rows whose value also occurs in another row."""
    _, counts = np.unique(values, return_counts=True)
    return int(counts[counts > 1].sum())


def finite(value: float) -> float | None:
    """Return `value`, or None if it is not finite."""
    return float(value) if math.isfinite(value) else None


def _signs(rows: Floats, columns: Floats) -> npt.NDArray[np.int8]:
    # Comparisons are used because the difference of two infinities is not a number.
    return (rows[:, None] > columns).astype(np.int8) - (rows[:, None] < columns)


def _untied_pairs(values: Floats, weights: Floats) -> Floats:
    counts = _grouped(values, weights)[0]
    total: Floats = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    return total


def _rhos(first: Floats, second: Floats, weights: Floats) -> Floats:
    middle = (weights.sum(axis=1, keepdims=True) + 1) / 2
    x, y = (_weighted_ranks(values, weights) - middle for values in (first, second))
    spread = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (weights * x * y).sum(axis=1) / np.sqrt(spread), np.nan)


def _weighted_ranks(values: Floats, weights: Floats) -> Floats:
    counts, inverse = _grouped(values, weights)
    ranks: Floats = (np.cumsum(counts, axis=1) - (counts - 1) / 2)[:, inverse]
    return ranks


def _grouped(values: Floats, weights: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Return the weight of each distinct value in ascending order, and for each row the index of its value."""
    _, inverse = np.unique(values, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.flatnonzero(np.diff(inverse[order], prepend=-1))
    return np.add.reduceat(weights[:, order], starts, axis=1), inverse
