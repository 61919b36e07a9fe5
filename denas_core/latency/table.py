"""The times of operators on one machine, and an estimate for those that were never timed there."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .nonnegative import least_squares
from .operators import Operator

LEAST_MS = 1e-4
FEWEST = 4
"""From this number of timed calls on, the time of an operator is described by its FLOPs and bytes."""


class OperatorTable:
    """Milliseconds by operator call.

    A call that was never timed gets an estimate: the same operator's time as a linear function of FLOPs and bytes,
    corrected by the ratio between time and function at the most similar call that was timed. A prediction therefore
    never waits, and never changes while a search runs.
    """

    def __init__(self, times: Mapping[Operator, float]) -> None:
        self.times = dict(times)
        self._by_name: dict[str, list[Operator]] = defaultdict(list)
        for operator in self.times:
            self._by_name[operator.name].append(operator)
        self._groups: dict[str | bool, _Group | None] = {}
        self._estimates: dict[Operator, float] = {}

    def milliseconds(self, operator: Operator) -> float:
        """Return the time of one call, measured or estimated."""
        if operator in self.times:
            return self.times[operator]
        if operator not in self._estimates:
            self._estimates[operator] = self._estimate(operator)
        return self._estimates[operator]

    def as_list(self) -> list[dict[str, Any]]:
        """Return the timed calls as JSON can represent them."""
        return [
            {**describe_call(operator), "ms": ms}
            for operator, ms in sorted(self.times.items(), key=lambda item: _order(item[0]))
        ]

    @classmethod
    def from_list(cls, calls: Iterable[Mapping[str, Any]]) -> OperatorTable:
        """Return the table that `as_list` described.

        Raises:
            ValueError, KeyError, TypeError: the list is damaged.
        """
        times = {}
        for call in calls:
            if call["ms"] is None:
                continue
            ms = float(call["ms"])
            if not (math.isfinite(ms) and ms >= 0):
                raise ValueError(f"{ms!r} is not a time")
            times[read_call(call)] = max(ms, LEAST_MS)
        return cls(times)

    def _estimate(self, operator: Operator) -> float:
        group = self._group_of(operator)
        return LEAST_MS if group is None else max(group.estimate(operator), LEAST_MS)

    def _group_of(self, operator: Operator) -> _Group | None:
        # Without a call of the same operator, all operators that move data, or all that do not, are alike.
        key = operator.name if operator.name in self._by_name else bool(operator.bytes)
        if key not in self._groups:
            alike = self._by_name.get(operator.name) or [
                other for other in self.times if bool(other.bytes) == bool(operator.bytes)
            ]
            self._groups[key] = _Group({other: self.times[other] for other in alike}) if alike else None
        return self._groups[key]


class _Group:
    """Timed calls that are alike, and their time as a function of FLOPs and bytes."""

    def __init__(self, times: Mapping[Operator, float]) -> None:
        # In one order, because the last bits of the fit depend on it.
        self._operators = sorted(times, key=_order)
        self._times = np.array([times[operator] for operator in self._operators])
        self._logs = np.array([_logs(operator) for operator in self._operators])
        rows = np.array([_terms(operator) for operator in self._operators])
        self._is_linear = len(rows) >= FEWEST
        if not self._is_linear:
            # One coefficient: the time is proportional to a constant, the work and the traffic in fixed proportions.
            rows = rows.sum(axis=1, keepdims=True)
        self._weights = least_squares(rows / self._times[:, None], np.ones(len(rows)))

    def estimate(self, operator: Operator) -> float:
        """Return the time of the most similar call, times the ratio of the function's values."""
        nearest = int(np.abs(self._logs - _logs(operator)).sum(axis=1).argmin())
        return float(self._times[nearest] * self._value(operator) / self._value(self._operators[nearest]))

    def _value(self, operator: Operator) -> float:
        terms = np.array(_terms(operator))
        if not self._is_linear:
            terms = terms.sum(keepdims=True)
        return max(float(terms @ self._weights), LEAST_MS / 100)


def describe_call(operator: Operator) -> dict[str, Any]:
    """Return a call as JSON can represent it."""
    return {
        "name": operator.name,
        "arguments": json.loads(operator.arguments),
        "flops": operator.flops,
        "bytes": operator.bytes,
    }


def read_call(document: Mapping[str, Any]) -> Operator:
    """Return the call that `describe_call` described."""
    from denas_core.seeding import canonical_json

    name = document["name"]
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is not the name of an operator")
    return Operator(
        name, canonical_json(document["arguments"]), int(document["flops"]), int(document["bytes"])
    )


def _terms(operator: Operator) -> list[float]:
    return [1.0, operator.flops / 1e7, operator.bytes / 1e5]


def _logs(operator: Operator) -> list[float]:
    return [math.log(operator.flops + 1), math.log(operator.bytes + 1)]


def _order(operator: Operator) -> tuple[str, str]:
    return operator.name, operator.arguments
