"""The finished trials of a search as trials of an Optuna study."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from denas_core import Constraint, History, Objective, Problem, Trial

from .parameters import Parameters

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

SCORE = "score"
VIOLATION = "violation"
"""Name of the constraint of a trial in Optuna: positive if the trial is infeasible."""

SMALLEST_VIOLATION = 1e-9


def replayed(
    problem: Problem, history: History, objectives: Sequence[Objective], parameters: Parameters
) -> Iterator[FrozenTrial]:
    """Yield every trial of `history` as a finished trial of Optuna, in order.

    A scored trial is complete, with its values. An infeasible trial is complete, too, because samplers read the
    constraint of complete trials only. Its score is unknown; it gets the median of each objective that is unknown, so
    that it does not draw the model of the objective in any direction. A failed trial fails, and samplers ignore it.
    """
    from optuna.trial import TrialState, create_trial

    found = [objective_values(trial, history, objectives) for trial in history.trials]
    scored = [
        values
        for trial, values in zip(history.trials, found, strict=True)
        if trial.is_scored and None not in values
    ]
    neutral = [statistics.median(column) for column in zip(*scored, strict=True)] or [0.0] * len(objectives)
    is_constrained = any(trial.evaluation.state == "infeasible" for trial in history.trials)
    for trial, values in zip(history.trials, found, strict=True):
        params, distributions = parameters.of(trial.arch.values)
        is_known = trial.evaluation.state == "infeasible" or (trial.is_scored and None not in values)
        yield create_trial(
            state=TrialState.COMPLETE if is_known else TrialState.FAIL,
            values=[n if v is None else v for v, n in zip(values, neutral, strict=True)]
            if is_known
            else None,
            params=params,
            distributions=distributions,
            constraints={VIOLATION: violation(trial, problem.constraints)}
            if is_constrained and is_known
            else None,
        )


def objective_values(trial: Trial, history: History, objectives: Sequence[Objective]) -> list[float | None]:
    """Return the value of each objective; None where it is unknown."""
    metrics = trial.evaluation.metrics
    values = [
        history.values.get(trial.arch.key) if each.name == SCORE else metrics.get(each.name)
        for each in objectives
    ]
    return [None if value is None or math.isnan(value) else value for value in values]


def violation(trial: Trial, constraints: Sequence[Constraint]) -> float:
    """Return the violation of an infeasible trial; of any other, how near it comes to a bound, at most 0.

    Both are fractions of the bound.
    """
    if trial.evaluation.state == "infeasible":
        return max(trial.evaluation.violation, SMALLEST_VIOLATION)
    metrics = trial.evaluation.metrics
    excess = [
        (metrics[each.metric] / each.bound - 1) * (1 if each.upper else -1)
        for each in constraints
        if each.metric in metrics and each.bound
    ]
    return min(max(excess, default=0.0), 0.0)
