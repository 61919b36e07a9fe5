"""One ranking of the trials of several runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from denas_core.values.objectives import Objective
from denas_core.values.trial import Trial

from .combination import Combination
from .front import select_front


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A scored architecture in a joint ranking.

    Attributes:
        trial: One of the trials with these scores.
        runs: Indices of the runs that have such a trial.
        value: Its combined value among all members.
        on_front: Whether no other member dominates it.
    """

    trial: Trial
    runs: tuple[int, ...]
    value: float
    on_front: bool


def rank_jointly(
    tables: Sequence[Sequence[Trial]], combination: Combination, objectives: Sequence[Objective]
) -> list[Member]:
    """Return the scored trials of all runs, best first. Trials with equal key and components are one member."""
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
    # Two runs may have scored an architecture with different seeds. Different keys keep these members separate.
    apart = {
        f"{same[0]}/{place}": dataclasses.replace(
            first[same], arch=dataclasses.replace(first[same].arch, key=f"{same[0]}/{place}")
        )
        for place, same in enumerate(order)
    }
    by_key = {key: values[same] for key, same in zip(apart, order, strict=True)}
    front = select_front(list(apart.values()), by_key, objectives)
    kept = {trial.arch.key for trial in front}
    return [
        Member(trial=first[same], runs=tuple(runs[same]), value=values[same], on_front=key in kept)
        for key, same in zip(apart, order, strict=True)
    ]
