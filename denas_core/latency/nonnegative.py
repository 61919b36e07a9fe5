"""Least squares with coefficients that are not negative (Lawson and Hanson 1974, chapter 23)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def least_squares(rows: Any, values: Any) -> Floats:
    """Return the x >= 0 that minimises ``|rows x - values|``."""
    matrix, target = np.asarray(rows, dtype=np.float64), np.asarray(values, dtype=np.float64)
    norms = np.linalg.norm(matrix, axis=0)
    norms[norms == 0] = 1.0
    # Columns of equal length make one tolerance right for all of them.
    gram, goal = (matrix / norms).T @ (matrix / norms), (matrix / norms).T @ target
    count = len(goal)
    found = np.zeros(count)
    free = np.zeros(count, dtype=bool)
    tolerance = 1e-10 * max(1.0, float(np.abs(goal).max(initial=0.0)))
    for _ in range(10 * count + 10):
        slope = goal - gram @ found
        slope[free] = -np.inf
        if not count or slope.max() <= tolerance:
            break
        free[int(slope.argmax())] = True
        while True:
            trial = np.zeros(count)
            trial[free] = np.linalg.lstsq(gram[np.ix_(free, free)], goal[free], rcond=1e-12)[0]
            negative = free & (trial <= 0)
            if not negative.any():
                break
            step = (found[negative] / (found[negative] - trial[negative] + 1e-300)).min()
            found = found + step * (trial - found)
            free &= found > 1e-14
            found[~free] = 0.0
            if not free.any():
                trial = found
                break
        found = trial
    return np.asarray(found / norms)
