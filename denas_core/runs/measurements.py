"""Latencies that were measured after a search: of its finalists and its front, on this machine or on others.

They are stored beside the trials and never change them, so that a search that goes on proposes the same architectures.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.seeding import canonical_json
from denas_core.values.trial import Evaluation, State, Trial

PREFIX = "latency/"
"""Beginning of the names of measurements among the facts of a store."""

OF_SEARCH = ""
"""The machine of the measurements at the end of a search, which decide whether a trial meets its bounds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The measured latency of one architecture of a run on one machine.

    Attributes:
        key: Key of the architecture.
        machine: Name of the machine; `OF_SEARCH` for that of the search.
        state: State of the trial by this measurement, see `Evaluation`.
        reason: Why it is not scored by this measurement.
        violation: By how much it breaks the bounds.
        metrics: The measured metrics.
        latency: Interval and verdict; None if the measurement failed.
        decides: Whether the measurement takes the place of the prediction. It does not if it failed, or was too
            unstable to decide about the bounds.
        seconds: Seconds that it took.
        when: Time of the measurement.
        setting: What the latency depends on besides the network, in words by name: processor, probe, options.
    """

    key: str
    machine: str = OF_SEARCH
    state: State = "scored"
    reason: str = ""
    violation: float = 0.0
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    latency: Mapping[str, Any] | None = None
    decides: bool = True
    seconds: float = 0.0
    when: str = ""
    setting: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, trial: Trial, found: Evaluation, *, has_bounds: bool, **facts: Any) -> Measurement:
        """Return the measurement of a trial.

        Args:
            trial: The trial, with its predicted latency.
            found: Its evaluation after the measurement, see `Evaluator.measure`.
            has_bounds: Whether any bound is on a measured metric.
            facts: Other attributes.
        """
        before = trial.evaluation
        latency = found.latency if found.latency != before.latency else None
        is_stable = latency is not None and latency["verdict"] == "stable"
        is_decided = has_bounds and not found.reason.startswith("latency undecided")
        names = [] if latency is None else [n for n, v in found.metrics.items() if before.metrics.get(n) != v]
        return cls(
            key=trial.arch.key,
            state=found.state,
            reason=found.reason,
            violation=found.violation,
            metrics={name: found.metrics[name] for name in names},
            latency=latency,
            decides=found.state != "failed" and (is_stable or is_decided),
            seconds=found.seconds.get("latency", 0.0),
            **facts,
        )

    def as_row(self) -> tuple[str, str]:
        """Return its name and its content among the facts of a store."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain = {name: dict(each) if isinstance(each, Mapping) else each for name, each in fields.items()}
        del plain["key"], plain["machine"]
        return f"{PREFIX}{self.key}/{self.machine}", canonical_json(plain)

    @classmethod
    def from_row(cls, name: str, content: str) -> Measurement:
        """Return the measurement of a fact whose name begins with `PREFIX`."""
        key, _, machine = name.removeprefix(PREFIX).partition("/")
        return cls(key=key, machine=machine, **json.loads(content))

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement as JSON can represent it."""
        return {
            "machine": self.machine,
            "metrics": dict(self.metrics),
            "latency": None if self.latency is None else dict(self.latency),
            "reason": self.reason,
            "when": self.when,
            "setting": dict(self.setting),
        }


def has_accepted(measured: Mapping[str, Measurement]) -> bool:
    """Return whether an architecture meets the bounds by measurement."""
    return any(one.decides and one.state == "scored" and one.latency is not None for one in measured.values())


def with_measurements(trials: Sequence[Trial], measured: Mapping[str, Measurement]) -> list[Trial]:
    """Return trials with their measured latency in place of the predicted one, which they keep as `predicted`.

    A measurement that failed or was too unstable turns a trial away only if another trial meets the bounds by
    measurement. Otherwise the machine is too noisy, or the probe does not work, and the prediction stays.

    Args:
        trials: Trials as the search evaluated them.
        measured: Measurements by key of the architecture.
    """
    if not measured:
        return list(trials)
    can_measure = has_accepted(measured)
    found = []
    for trial in trials:
        one = measured.get(trial.arch.key)
        applies = one is not None and (one.decides or (one.state != "scored" and can_measure))
        found.append(_with(trial, one) if one is not None and applies else trial)
    return found


def _with(trial: Trial, measurement: Measurement) -> Trial:
    before = trial.evaluation
    metrics = {**before.metrics, **measurement.metrics}
    after = dataclasses.replace(
        before,
        state=measurement.state,
        reason=measurement.reason,
        violation=measurement.violation,
        metrics=metrics,
        latency=measurement.latency or before.latency,
        predicted={name: before.metrics[name] for name in measurement.metrics if name in before.metrics},
    )
    return dataclasses.replace(trial, evaluation=after)
