"""The hypervolume of a front, and its knee: both in objectives that are scaled to the range from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .ranking import pareto_front

MOST_OBJECTIVES = 4
"""Up to this number of objectives, the exact hypervolume of a few hundred points takes a second at most."""

Floats = npt.NDArray[np.float64]


def scaled(points: Sequence[Sequence[float]] | Floats) -> Floats:
    """Return points with each coordinate scaled: the smallest finite value becomes 0, and the largest becomes 1.

    An infinite coordinate stays infinite. A coordinate in which all finite values are equal becomes 0.
    """
    array = np.asarray(points, dtype=np.float64)
    if not len(array):
        return array
    known = np.where(np.isfinite(array), array, np.nan)
    columns = []
    for values, column in zip(known.T, array.T, strict=True):
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
        # Halves, so that the difference of two large numbers does not overflow.
        span = high / 2 - low / 2
        columns.append((column / 2 - low / 2) / (span if span > 0 else 1.0))
    return np.stack(columns, axis=1)


def hypervolume(points: Sequence[Sequence[float]] | Floats) -> float | None:
    """Return the volume between the points and the reference point (1, ..., 1); every coordinate is minimised.

    It is the measure of all positions that a point dominates and that dominate the reference point (Zitzler and Thiele
    1999, doi:10.1109/4235.797969). Points that are not better than the reference in every coordinate add nothing.

    Args:
        points: Points whose coordinates are at least 0, see `scaled`.

    Returns:
        A number from 0 to 1; None for more than `MOST_OBJECTIVES` objectives.
    """
    array = np.asarray(points, dtype=np.float64)
    if not array.size:
        return 0.0
    if array.shape[1] > MOST_OBJECTIVES:
        return None
    array = array[np.all(array < 1, axis=1)]
    if not len(array):
        return 0.0
    return _volume(array[pareto_front(array.tolist())])


def hypervolumes(points: Sequence[Sequence[float]]) -> list[float] | None:
    """Return the hypervolume of the first point, of the first two, and so on; all points scale the objectives.

    Returns:
        A number for each point; None for more than `MOST_OBJECTIVES` objectives.
    """
    array = scaled(points)
    if len(array) and array.shape[1] > MOST_OBJECTIVES:
        return None
    front: list[Floats] = []
    course: list[float] = []
    for point in array:
        if np.all(point < 1) and not any(bool(np.all(other <= point)) for other in front):
            front = [other for other in front if not bool(np.all(point <= other))]
            front.append(point)
            course.append(_volume(np.stack(front)))
        else:
            course.append(course[-1] if course else 0.0)
    return course


def knee(points: Sequence[Sequence[float]]) -> int | None:
    """Return the index of the knee of a front; every coordinate is minimised.

    The knee is the point with the largest distance from the straight line between the two ends of the front, on the
    side of better values, after both objectives were scaled to the range from 0 to 1 (Das 1999,
    doi:10.1007/s001580050111). The scaled ends are (0, 1) and (1, 0), so the distance is ``(1 - x - y) / sqrt(2)``. For
    more objectives, it is the distance from the plane on which the sum of the scaled objectives is 1.

    Returns:
        The index, the first one of equal points; None if no point has only finite coordinates.
    """
    array = np.asarray(points, dtype=np.float64)
    if not array.size:
        return None
    finite = np.flatnonzero(np.all(np.isfinite(array), axis=1))
    if not len(finite):
        return None
    return int(finite[np.argmin(scaled(array[finite]).sum(axis=1))])


def _volume(front: Floats) -> float:
    """Return the hypervolume of points below 1, from a grid of their coordinates."""
    if front.shape[1] == 1:
        return float(1 - front.min())
    if front.shape[1] == MOST_OBJECTIVES:
        return _volume_by_slices(front)
    axes = [np.unique(column) for column in front.T[:-1]]
    heights = np.ones([len(axis) for axis in axes])
    places = tuple(np.searchsorted(axis, column) for axis, column in zip(axes, front.T, strict=False))
    np.minimum.at(heights, places, front[:, -1])
    volumes = np.ones_like(heights)
    for number, axis in enumerate(axes):
        heights = np.minimum.accumulate(heights, axis=number)
        widths = np.diff(axis, append=1.0)
        volumes *= widths.reshape([-1 if other == number else 1 for other in range(len(axes))])
    return float(((1 - heights) * volumes).sum())


def _volume_by_slices(front: Floats) -> float:
    """Return the hypervolume as a sum of slices between values of the last coordinate."""
    order = np.argsort(front[:, -1], kind="stable")
    ends = np.append(front[order[1:], -1], 1.0)
    total = 0.0
    for place, end in enumerate(ends):
        thickness = end - front[order[place], -1]
        if thickness > 0:
            total += float(thickness) * _volume(front[order[: place + 1], :-1])
    return total
