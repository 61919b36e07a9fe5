"""Compute the value of each score and count for each network from the measured columns."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from denas_core.values.architecture import Architecture
from denas_core.values.ranking import average_ranks
from denas_core.values.trial import Evaluation, Trial

from .columns import COUNTS, DEPTH_WIDTH, EvaluatedScore
from .measured import Measured
from .statistics import Floats


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A network for which a score failed.

    Attributes:
        arch: The network.
        seed: The seed of its weights.
        reason: The reason of the failure.
    """

    arch: Architecture
    seed: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ScoreValues:
    """The values of one score, or of a count.

    Attributes:
        label: The name that the user gave it.
        is_count: Whether it is one of the counts, which need no run of a network.
        by_seed: For each seed, the value of each network. Larger is better; minus infinity stands for a failure.
        failures: The failures, in the order of the networks.
        seconds: Median wall-clock seconds for a network and seed; None if no time was measured.
    """

    label: str
    is_count: bool
    by_seed: Sequence[Floats]
    failures: Sequence[Failure]
    seconds: float | None

    def ranks(self) -> Floats:
        """Return the mean rank of each network over the seeds. The worst has rank 1; failed networks rank last."""
        mean: Floats = np.mean([average_ranks(values) for values in self.by_seed], axis=0)
        return mean


def score_values(
    score: EvaluatedScore, networks: Sequence[Architecture], by_seed: Mapping[int, Mapping[str, Measured]]
) -> ScoreValues:
    """Return the values of a score. A combined score ranks all networks together, separately for each seed."""
    values: list[Floats] = []
    failures: list[Failure] = []
    for seed, found in by_seed.items():
        trials: list[Trial] = []
        places: list[int] = []
        for place, arch in enumerate(networks):
            measured = found[arch.key]
            reasons = [
                f"{name}: {measured.failures[column]}"
                for name, column in score.columns.items()
                if column in measured.failures
            ]
            if reasons:
                alone = len(score.columns) == 1
                reason = reasons[0].partition(": ")[2] if alone else "; ".join(reasons)
                failures.append(Failure(arch=arch, seed=seed, reason=reason))
                continue
            components = {name: measured.values[column] for name, column in score.columns.items()}
            evaluation = Evaluation(state="scored", components=components)
            trials.append(Trial(index=len(trials), generation=0, arch=arch, evaluation=evaluation))
            places.append(place)
        goodness = np.full(len(networks), -math.inf)
        goodness[places] = score.scoring.combine(trials)
        values.append(goodness)
    spent = [
        sum(measured.seconds.get(column, 0.0) for column in score.columns.values())
        for found in by_seed.values()
        for measured in (found[arch.key] for arch in networks)
        if all(column in measured.values for column in score.columns.values())
    ]
    return ScoreValues(
        label=score.label, is_count=False, by_seed=values, failures=failures, seconds=_median(spent)
    )


def count_values(
    networks: Sequence[Architecture], by_seed: Mapping[int, Mapping[str, Measured]]
) -> list[ScoreValues]:
    """Return the values of the counts, in the order of `COUNTS`."""
    seed, found = next(iter(by_seed.items()))
    every = [found[arch.key] for arch in networks]
    counted = []
    for label in COUNTS:
        is_metric = label != COUNTS[-1]
        column = [
            measured.metrics.get(label) if is_metric else measured.values.get(DEPTH_WIDTH)
            for measured in every
        ]
        failures = [
            Failure(arch=arch, seed=seed, reason=_reason(label, measured, is_metric=is_metric))
            for arch, measured, value in zip(networks, every, column, strict=True)
            if value is None
        ]
        step = "cost" if is_metric else DEPTH_WIDTH
        counted.append(
            ScoreValues(
                label=label,
                is_count=True,
                by_seed=[np.array([-math.inf if value is None else float(value) for value in column])],
                failures=failures,
                seconds=_median(m.seconds[step] for m in every if step in m.seconds),
            )
        )
    return counted


def _reason(label: str, measured: Measured, *, is_metric: bool) -> str:
    if is_metric:
        # If the cost of a network cannot be counted, every column fails for this reason.
        return (
            f"the space does not count {label}"
            if measured.metrics
            else next(iter(measured.failures.values()))
        )
    return measured.failures.get(DEPTH_WIDTH, "")


def _median(seconds: Iterable[float]) -> float | None:
    known = list(seconds)
    return statistics.median(known) if known else None
