"""Trials without a score, grouped by reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from denas_core.values.trial import Trial

EXAMPLES = 3
MOST_GROUPS = 40

# A separate number. The bound of a constraint is not included, because it distinguishes reasons.
_NUMBER = re.compile(r"(?<![<>]=)(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?[kMGT]?(?![\w.])")


def group_reasons(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return the reasons of trials without a score, most frequent first. Reasons that differ in numbers are one group.

    Returns:
        Rows with ``state``, ``reason`` (with ``…`` for numbers), ``count``, ``first`` (index of the first trial), and
        ``examples``: ``key``, ``index`` and full ``reason`` of a few trials.
    """
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for trial in trials:
        if trial.is_scored:
            continue
        state, reason = trial.evaluation.state, trial.evaluation.reason
        shape = _NUMBER.sub("…", reason)
        group = groups.setdefault(
            (state, shape),
            {"state": state, "reason": shape, "count": 0, "first": trial.index, "examples": []},
        )
        group["count"] += 1
        if len(group["examples"]) < EXAMPLES:
            group["examples"].append({"key": trial.arch.key, "index": trial.index, "reason": reason})
    ordered = sorted(groups.values(), key=lambda group: (-group["count"], group["first"]))
    if len(ordered) > MOST_GROUPS:
        rest = ordered[MOST_GROUPS:]
        ordered = ordered[:MOST_GROUPS]
        ordered.append(
            {
                "state": "other",
                "reason": f"{len(rest)} further reasons",
                "count": sum(group["count"] for group in rest),
                "first": min(group["first"] for group in rest),
                "examples": rest[0]["examples"][:1],
            }
        )
    return ordered
