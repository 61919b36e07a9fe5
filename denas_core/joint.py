"""One ranking over the trials of several runs, by the stored numbers where they say how they combine."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from .config import make_config
from .errors import ConfigError
from .objectives import Objective
from .ranking import log_rank_sum
from .registry import Registry
from .report.insight import Insight
from .result import select_front
from .score import Direction, Table
from .scoring import component_columns
from .setup import Setup
from .trial import Trial


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """How the components of a run become one value.

    Attributes:
        weights: Positive weight by component.
        is_relative: Whether a value is a rank among the trials that it was computed with.
        combine: Returns the value of each scored trial.
    """

    weights: Mapping[str, float]
    is_relative: bool
    combine: Callable[[Sequence[Trial]], list[float]]


def combination_of(
    path: Path, config: Mapping[str, Any], trials: Sequence[Trial], registry: Callable[[], Registry]
) -> Combination:
    """Return how a run combines: as its stored values prove, or as its score's plugin says.

    Args:
        path: The run directory.
        config: The configuration in its header.
        trials: Its trials.
        registry: Discovers the installed plugins; called only if the stored values do not suffice.

    Raises:
        DenasError: they do not suffice, and the plugin cannot be had.
    """
    stored = _stored_combination(Insight.read(path), trials)
    if stored is not None:
        return stored
    document = {**config, "constraints": [], "objectives": ["score"]}
    scoring = Setup.from_config(make_config(document, origin=str(path)), registry()).scoring
    return Combination(weights=scoring.weights, is_relative=scoring.is_relative, combine=scoring.combine)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A scored architecture in a joint ranking.

    Attributes:
        trial: One of the trials that scored it so.
        runs: Places of the runs that did, in the order given.
        value: Its combined value among all members.
        on_front: Whether no other member dominates it.
    """

    trial: Trial
    runs: tuple[int, ...]
    value: float
    on_front: bool


def rank_jointly(
    tables: Sequence[Sequence[Trial]], combination: Combination, objectives: Sequence[str]
) -> list[Member]:
    """Return the scored trials of all runs, best first; those with equal key and components are one member."""
    runs: dict[tuple[Any, ...], list[int]] = {}
    first: dict[tuple[Any, ...], Trial] = {}
    for place, trials in enumerate(tables):
        for trial in (trial for trial in trials if trial.is_scored):
            latency = trial.evaluation.metrics.get("latency_ms")
            same = (trial.arch.key, tuple(trial.evaluation.components.items()), latency)
            runs.setdefault(same, []).append(place)
            first.setdefault(same, trial)
    values = dict(zip(first, combination.combine(list(first.values())), strict=True))
    order = sorted(first, key=lambda same: (-values[same], same[0], runs[same]))
    # Two runs may have scored one architecture with different seeds: keys of their own keep them apart.
    apart = {
        f"{same[0]}/{place}": dataclasses.replace(
            first[same], arch=dataclasses.replace(first[same].arch, key=f"{same[0]}/{place}")
        )
        for place, same in enumerate(order)
    }
    by_key = {key: values[same] for key, same in zip(apart, order, strict=True)}
    front = select_front(list(apart.values()), by_key, [Objective.parse(text) for text in objectives])
    kept = {trial.arch.key for trial in front}
    return [
        Member(trial=first[same], runs=tuple(runs[same]), value=values[same], on_front=key in kept)
        for key, same in zip(apart, order, strict=True)
    ]


def _stored_combination(insight: Insight | None, trials: Sequence[Trial]) -> Combination | None:
    scored = [trial for trial in trials if trial.is_scored]
    if insight is None or not scored:
        return None
    directions = cast("Mapping[str, Direction]", insight.directions)

    def log_ranks(rows: Sequence[Trial]) -> list[float]:
        columns = component_columns(insight.weights, rows)
        return log_rank_sum(Table(columns=columns, weights=insight.weights, directions=directions))

    def value_alone(rows: Sequence[Trial]) -> list[float]:
        ((name, column),) = component_columns(insight.weights, rows).items()
        sign = 1.0 if directions[name] == "maximize" else -1.0
        return [-math.inf if value is None else sign * value for value in column]

    combine = log_ranks if insight.is_relative else value_alone
    try:
        if not insight.is_relative and len(insight.weights) != 1:
            return None
        now = [value if math.isfinite(value) else None for value in combine(scored)]
        stored = [insight.values[trial.arch.key] for trial in scored]
    except (KeyError, TypeError, ValueError, ConfigError):
        return None
    # The run's own values are what proves that it combines like this, and not by arithmetic of its plugin's own.
    if now != stored:
        return None
    return Combination(weights=insight.weights, is_relative=insight.is_relative, combine=combine)
