"""Latency: a measured time with its confidence interval, and the verdict whether it is stable."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from denas_core.errors import ScoreFailed
from denas_core.text import number, one_line, safe_repr

from .number import coerce_score

Verdict = Literal["stable", "unstable", "predicted"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The time of one call on the target, measured or predicted. Other metrics of the target have the same form.

    Attributes:
        median: Milliseconds of one call.
        low: Lower end of the 95 % confidence interval of the median, milliseconds.
        high: Upper end, milliseconds.
        verdict: ``unstable`` if the interval stayed wider than the probe's precision; ``predicted`` if a model of the
            latency computed the time, see `denas_core.latency`, and the interval is that of its error.
        rounds: Calls that were timed; 0 for a prediction.
        relative: Median ratio to the time of the reference network in the same rounds; None without a reference.
        dropped: Calls that were timed and left out because other work interrupted them.
        reason: Why it is unstable; empty if it is not, or the probe does not say.
    """

    median: float
    low: float
    high: float
    verdict: Verdict
    rounds: int
    relative: float | None = None
    dropped: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the fields as JSON can represent them."""
        return dataclasses.asdict(self)


def predicted_metrics(latency: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the names of the metrics that are predicted, given the latency of a trial as it is stored."""
    if latency is None or latency["verdict"] != "predicted":
        return frozenset()
    return frozenset(latency.get("metrics", ("latency_ms",)))


def with_interval(latency: Mapping[str, Any]) -> str:
    """Return the median of a latency and its interval for the user, such as ``8.35 [8.16, 8.47]``."""
    return f"{number(latency['median'])} [{number(latency['low'])}, {number(latency['high'])}]"


def check_latency(latency: object) -> Latency:
    """Return a measurement with its numbers as plain floats, after a check of them.

    Raises:
        TypeError: `latency` is not a `Latency`.
        ScoreFailed: a number is negative, not finite, or outside its interval. NaN would satisfy every constraint.
    """
    if not isinstance(latency, Latency):
        raise TypeError(f"{safe_repr(latency)} is not a Latency")
    low, median, high = (coerce_score(end) for end in (latency.low, latency.median, latency.high))
    if not 0 <= low <= median <= high:
        raise ScoreFailed(f"{median:g} ms is negative, or outside its interval [{low:g}, {high:g}]")
    if latency.verdict not in get_args(Verdict):
        raise ScoreFailed(
            f"the verdict {safe_repr(latency.verdict)} is none of {', '.join(map(repr, get_args(Verdict)))}"
        )
    relative = None if latency.relative is None else coerce_score(latency.relative)
    return Latency(
        median=median,
        low=low,
        high=high,
        verdict=latency.verdict,
        rounds=int(latency.rounds),
        relative=relative,
        dropped=int(latency.dropped),
        reason=one_line(latency.reason),
    )
