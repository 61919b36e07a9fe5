"""The Pareto front of a run: its trials, the choices among them that have a name, and its hypervolume over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from denas_core.values.fronts import objective_point
from denas_core.values.hypervolume import hypervolumes, knee
from denas_core.values.objectives import SCORE, Objective
from denas_core.values.ranking import pareto_front
from denas_core.values.trial import Trial

LARGE_SHARE = 0.1
"""Share of the scored trials that count as large."""


def select_front(
    ranked: Sequence[Trial], values: Mapping[str, float], objectives: Sequence[Objective]
) -> list[Trial]:
    """Return the trials that no other trial dominates, in the given order.

    If an objective is measured, trials without a stable latency are left out.
    """
    candidates = [trial for trial in ranked if _is_comparable(trial, objectives)]
    points = [objective_point(trial, values, objectives) for trial in candidates]
    return [candidates[index] for index in pareto_front(points)]


def select_knee(
    front: Sequence[Trial], values: Mapping[str, float], objectives: Sequence[Objective]
) -> Trial | None:
    """Return the knee of the front, see `denas_core.values.hypervolume.knee`; None if the front has none."""
    place = knee([objective_point(trial, values, objectives) for trial in front])
    return None if place is None else front[place]


def name_choices(ranked: Sequence[Trial], knee: Trial | None, front: Sequence[Trial]) -> dict[str, str]:
    """Return the keys of the trials that users can choose by name, see `denas_core.runs.choices.CHOICES`.

    Of trials with the same latency or size, the one with the better score is chosen. A name is left out if no trial of
    the front has its metric.

    Args:
        ranked: The scored trials, best first; at least one.
        knee: The knee of the front, if it has one.
        front: The trials on the front.
    """
    found = {"best": ranked[0], "knee": knee, "large": _best_of_large(ranked)}
    for name, metric in (("fastest", "latency_ms"), ("smallest", "params")):
        measured = [trial for trial in front if metric in trial.evaluation.metrics]
        found[name] = min(measured, key=lambda trial: trial.evaluation.metrics[metric], default=None)
    return {name: trial.arch.key for name, trial in found.items() if trial is not None}


def _best_of_large(ranked: Sequence[Trial]) -> Trial | None:
    """Return the best of the tenth with the most parameters."""
    counted = [trial for trial in ranked if "params" in trial.evaluation.metrics]
    by_size = sorted(counted, key=lambda trial: -trial.evaluation.metrics["params"])
    large = {trial.arch.key for trial in by_size[: math.ceil(len(ranked) * LARGE_SHARE)]}
    return next((trial for trial in ranked if trial.arch.key in large), None)


def course_of_hypervolume(
    trials: Sequence[Trial], values: Mapping[str, float], objectives: Sequence[Objective]
) -> list[tuple[int, float]] | None:
    """Return the hypervolume of the front after each scored trial, with the index of the trial.

    Each objective is scaled by all scored trials of the run: its best value is 0, and its worst one is 1. The reference
    point is (1, ..., 1). The last number is therefore the share of the box between the best and the worst values that
    the front dominates, and cannot be compared between runs.

    Returns:
        A pair for each trial that the front could contain; None for more than four objectives.
    """
    ordered = sorted(
        (trial for trial in trials if trial.arch.key in values and _is_comparable(trial, objectives)),
        key=lambda trial: trial.index,
    )
    course = hypervolumes([objective_point(trial, values, objectives) for trial in ordered])
    if course is None:
        return None
    return [(trial.index, volume) for trial, volume in zip(ordered, course, strict=True)]


def _is_comparable(trial: Trial, objectives: Sequence[Objective]) -> bool:
    """Return whether a trial has a value in each objective, and its latency is stable if one is measured."""
    result = trial.evaluation
    if any(objective.is_measured for objective in objectives) and not result.has_usable_latency:
        return False
    return all(objective.name == SCORE or objective.name in result.metrics for objective in objectives)


def last_volume(course: Sequence[tuple[int, float]] | None) -> float | None:
    """Return the hypervolume at the end; None if it is unknown."""
    return course[-1][1] if course and math.isfinite(course[-1][1]) else None
