"""Trials as points of several objectives: their order by domination, and the part of a front that is least crowded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .objectives import SCORE, Objective
from .ranking import pareto_front
from .trial import Trial


def objective_point(
    trial: Trial, values: Mapping[str, float], objectives: Sequence[Objective]
) -> list[float]:
    """Return the value of a scored trial in each objective, with a sign that makes smaller values better.

    Args:
        trial: A scored trial.
        values: Combined score by key.
        objectives: The axes. A trial without the metric of one has infinity there, which is worse than any value.
    """
    metrics = trial.evaluation.metrics
    return [
        objective.cost(values[trial.arch.key])
        if objective.name == SCORE
        else objective.cost(metrics[objective.name])
        if objective.name in metrics
        else math.inf
        for objective in objectives
    ]


def order_by_domination(
    points: Sequence[Sequence[float]], *, count: int | None = None
) -> list[tuple[int, int, float]]:
    """Return points as ``(index, layer, crowding)``, best first; every coordinate is minimised.

    This is the order of NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017, sections III-A and III-B). Layer 0 is the
    Pareto front, layer 1 is the front of the other points, and so on. Within a layer, points with a larger crowding
    distance come first, and equal points keep their order.

    Args:
        points: The points.
        count: Number of points that are wanted; None for all. A layer is never cut before its crowding is computed.
    """
    if points and len(points[0]) == 1:
        # Each distinct value is a layer, so sorting takes the place of one search for a front after the other.
        places = {value: layer for layer, value in enumerate(sorted({point[0] for point in points}))}
        order = sorted(range(len(points)), key=lambda index: points[index][0])
        return [(index, places[points[index][0]], math.inf) for index in order][:count]
    left = list(range(len(points)))
    wanted = len(points) if count is None else min(count, len(points))
    ordered: list[tuple[int, int, float]] = []
    layer = 0
    while len(ordered) < wanted:
        front = [left[place] for place in pareto_front([points[index] for index in left])]
        distances = crowding_distances([points[index] for index in front])
        members = sorted(zip(front, distances, strict=True), key=lambda member: -member[1])
        ordered += [(index, layer, distance) for index, distance in members]
        taken = set(front)
        left = [index for index in left if index not in taken]
        layer += 1
    return ordered[:wanted]


def crowding_distances(points: Sequence[Sequence[float]]) -> list[float]:
    """Return for each point of a front the distance between its two neighbours in each objective, summed.

    Distances are divided by the range of the objective. The first and the last point of each objective have an infinite
    distance (Deb et al. 2002, section III-B). Of points that are equal in all objectives, only the first counts; the
    others have distance 0, so that copies do not displace other points.
    """
    if not points:
        return []
    unique, first, inverse = np.unique(
        np.asarray(points, dtype=np.float64), axis=0, return_index=True, return_inverse=True
    )
    distances = np.zeros(len(unique))
    for column in unique.T:
        order = np.argsort(column, kind="stable")
        column = column[order]
        distances[order[[0, -1]]] = np.inf
        span = column[-1] - column[0]
        if len(order) > 2 and 0 < span < np.inf:
            distances[order[1:-1]] += (column[2:] - column[:-2]) / span
    result = np.zeros(len(points))
    result[first] = distances[inverse.reshape(-1)[first]]
    return [float(distance) for distance in result]
