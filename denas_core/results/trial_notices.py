"""What the user should know of the trials of a search as a whole."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence

from denas_core.values.trial import Trial


def notices_of_trials(trials: Sequence[Trial]) -> list[str]:
    """Return a sentence about candidates that could not be evaluated, and one about unstable latencies."""
    return [*_not_evaluated(trials), *_unstable(trials)]


def _not_evaluated(trials: Sequence[Trial]) -> list[str]:
    # An architecture that breaks a bound has metrics. Without them, the space or the machine turned it away.
    reasons = [
        trial.evaluation.reason
        for trial in trials
        if trial.evaluation.state == "infeasible" and not trial.evaluation.metrics
    ]
    if not reasons:
        return []
    return [f"{len(reasons)} of {len(trials)} candidates have no score; the usual reason: {_usual(reasons)}"]


def _unstable(trials: Sequence[Trial]) -> list[str]:
    measured = [trial.evaluation.latency for trial in trials if trial.evaluation.latency is not None]
    unstable = [latency for latency in measured if latency["verdict"] == "unstable"]
    if not unstable:
        return []
    reason = _usual([str(latency.get("reason", "")) for latency in unstable])
    because = f", mostly because {reason}" if reason else ""
    return [
        f"the latency of {len(unstable)} of {len(measured)} networks is unstable{because}; see 'denas doctor'"
    ]


def _usual(reasons: Sequence[str]) -> str:
    """Return the reason that is most frequent; of those that differ in their numbers only, the last one."""
    kinds = [re.sub(r"\d+", "", reason) for reason in reasons]
    (kind, _), *_ = collections.Counter(kinds).most_common(1)
    return next(text for text, its in zip(reversed(reasons), reversed(kinds), strict=True) if its == kind)
