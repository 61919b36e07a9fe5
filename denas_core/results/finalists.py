"""The end of a search with predicted latencies: its finalists and its front are measured, best first."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from denas_core.evaluation.evaluator import Evaluator
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.runs.files import FINALISTS
from denas_core.runs.measurements import OF_SEARCH, Measurement, has_accepted, with_measurements
from denas_core.runs.store import Store
from denas_core.setup.setup import Setup
from denas_core.system.machine import moment
from denas_core.text import quantity
from denas_core.values.trial import Trial

from .front import select_front
from .result import FRONT_FILES

TRIED = 3
"""After so many measurements without a usable result, nothing more is measured. After so many that break a bound, the
error of predictions is taken from them."""

MOST = 100
"""Networks that are measured at most."""


class Searched(Protocol):
    """What this module needs of a search whose last candidate is evaluated."""

    setup: Setup
    path: Path
    trials: list[Trial]
    notices: list[str]

    def measuring(self, count: int) -> None:
        """Tell the observers that a finalist is measured now, after `count` others."""

    def active_seconds(self) -> float:
        """Return the seconds of work, summed over resumes."""

    def seconds_left(self) -> float | None:
        """Return the seconds of a time budget that are not spent; None for a budget of candidates."""


def measure_finalists(
    study: Searched, evaluator: Evaluator, store: Store, *, is_stopped: Callable[[], bool]
) -> bool:
    """Measure the latency of finalists and front, best first, until the first one meets the bounds by measurement.

    Each measurement is stored at once, and none is repeated when the run goes on. Within a time budget, the other
    finalists and the front are measured too.

    Args:
        study: The search.
        evaluator: Its evaluator.
        store: Its store.
        is_stopped: Whether a signal has asked the search to stop.

    Returns:
        Whether this ended by itself, and not by a signal.
    """
    rest = _Measuring(study, evaluator, store)
    while (trial := rest.choose()) is not None:
        if is_stopped():
            return False
        rest.measure(trial)
    rest.explain()
    return True


class _Measuring:
    def __init__(self, study: Searched, evaluator: Evaluator, store: Store) -> None:
        self._study = study
        self._evaluator = evaluator
        self._store = store
        self._measured: dict[str, Measurement] = dict(store.measurements().get(OF_SEARCH, {}))
        self._bounds = [c for c in study.setup.problem.constraints if study.setup.problem.predicts(c.metric)]
        self._raw = {trial.arch.key: trial for trial in study.trials}
        self._longest = max((one.seconds for one in self._timed()), default=0.0)

    def choose(self) -> Trial | None:
        """Return the next trial to be measured; None if nothing more is to be measured, or time is up."""
        tried = self._timed()
        if not self._has_accepted() and len(tried) >= TRIED and not any(one.decides for one in tried):
            return None
        if len(tried) >= MOST:
            return None
        left = self._study.seconds_left()
        if tried and left is not None and left < self._longest:
            return None
        self._turn_away_hopeless()
        return self._first_open()

    def measure(self, trial: Trial) -> None:
        """Measure a trial, and store the result."""
        self._study.measuring(len(self._timed()))
        executor = self._study.setup.executor
        with plugin_errors(f"executor {executor.id!r}"):
            found = executor.measure(self._evaluator.measure, trial.arch, trial.evaluation)
        one = Measurement.of(trial, found, has_bounds=bool(self._bounds), when=moment())
        self._longest = max(self._longest, one.seconds)
        self._keep([one])

    def explain(self) -> None:
        """Tell the user if the first network is not one that was measured to meet the bounds."""
        tried, accepted = self._timed(), self._has_accepted()
        unusable = [one for one in tried if not one.decides]
        if accepted or not self._ranked():
            return
        run = shlex.quote(str(self._study.path))
        later = f"measure them when the machine is idle: denas latency measure {run}"
        failed = [one for one in unusable if one.state == "failed"]
        if tried and len(failed) == len(tried):
            text = f"no latency could be measured ({failed[-1].reason}), so latencies are predictions"
        elif unusable and len(unusable) == len(tried):
            text = (
                f"the machine is too noisy to measure: {len(unusable)} of {len(tried)} measurements were unstable, so "
                f"latencies are predictions; {later}"
            )
        elif tried:
            text = (
                f"none of the {len(tried)} finalists that were measured meets the bounds by measurement, so the first "
                f"one is a prediction; go on with a larger budget: denas search --resume {run} --budget ..."
            )
        else:
            text = f"no finalist was measured, so latencies are predictions; {later}"
        self._study.notices.append(text)

    def _timed(self) -> list[Measurement]:
        """Return what was measured, without those that a corrected prediction turned away."""
        return [one for one in self._measured.values() if one.latency is not None or one.state == "failed"]

    def _has_accepted(self) -> bool:
        return has_accepted(self._measured)

    def _ranked(self) -> list[Trial]:
        ranked, _ = self._study.setup.scoring.rank(self._judged())
        return [trial for trial in ranked if trial.is_scored]

    def _judged(self) -> list[Trial]:
        return with_measurements(self._study.trials, self._measured)

    def _first_open(self) -> Trial | None:
        """Return the best trial that is not measured, of the finalists and then of the front."""
        setup = self._study.setup
        ranked, values = setup.scoring.rank(self._judged())
        scored = [trial for trial in ranked if trial.is_scored]
        front = select_front(scored, values, setup.objectives)
        wanted: Sequence[Trial] = [*scored[:FINALISTS], *front[:FRONT_FILES]]
        found = next((trial for trial in wanted if trial.arch.key not in self._measured), None)
        return None if found is None else self._raw[found.arch.key]

    def _turn_away_hopeless(self) -> None:
        """Turn away the best trials that would break a bound if predictions are as wrong as for measured networks.

        Until one network meets the bounds by measurement, each measurement shows how wrong predictions are near the
        bounds. If there is a network that meets the bounds even so, those that rank above it need not be measured.
        """
        ratios = [] if self._has_accepted() else self._ratios()
        if len(ratios) < TRIED or not self._bounds:
            return
        ratio = statistics.median(ratios)
        hopeless: list[Measurement] = []
        for trial in self._ranked():
            one = self._by_corrected_prediction(trial, ratio)
            if one is None:
                self._keep(hopeless)
                return
            hopeless.append(one)

    def _by_corrected_prediction(self, trial: Trial, ratio: float) -> Measurement | None:
        for bound in self._bounds:
            value = trial.evaluation.metrics[bound.metric] * ratio
            if bound.violation(value) > 0 and trial.arch.key not in self._measured:
                return Measurement(
                    key=trial.arch.key,
                    state="infeasible",
                    reason=f"{bound}: {quantity(value)} by its prediction, which is multiplied by {ratio:.2f} as for "
                    "measured networks",
                    violation=bound.violation(value),
                    when=moment(),
                )
        return None

    def _ratios(self) -> list[float]:
        found = []
        for one in self._timed():
            before = self._raw[one.key].evaluation.metrics.get("latency_ms", 0.0)
            if one.decides and before > 0 and "latency_ms" in one.metrics:
                found.append(one.metrics["latency_ms"] / before)
        return found

    def _keep(self, measurements: Sequence[Measurement]) -> None:
        self._store.add_measurements(measurements, active_seconds=self._study.active_seconds())
        self._measured |= {one.key: one for one in measurements}


def predicted_against_measured(
    trials: Sequence[Trial], measured: Mapping[str, Measurement]
) -> list[tuple[Trial, Measurement]]:
    """Return the trials whose latency was predicted and then measured, with their measurements.

    Args:
        trials: Trials as the search evaluated them.
        measured: Measurements by key of the architecture.
    """
    return [
        (trial, measured[trial.arch.key])
        for trial in trials
        if trial.arch.key in measured and measured[trial.arch.key].latency is not None
    ]
