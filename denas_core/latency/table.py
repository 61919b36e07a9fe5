"""The times of operators on one machine, and an estimate for those that were never timed there."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
        alike = self._by_name.get(operator.name) or [
            other for other in self.times if bool(other.bytes) == bool(operator.bytes)
        ]
        if not alike:
            return LEAST_MS
        # In one order, because the last bits of the fit depend on it.
        alike = sorted(alike, key=_order)
        nearest = min(alike, key=lambda other: (_distance(operator, other), _order(other)))
        function = _function(alike, [self.times[other] for other in alike])
        return max(self.times[nearest] * function(operator) / function(nearest), LEAST_MS)


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


def _function(operators: Sequence[Operator], times: Sequence[float]) -> Any:
    y = np.asarray(times)
    rows = np.array([_terms(operator) for operator in operators])
    if len(operators) < FEWEST:
        # One coefficient: the time is proportional to a constant, the work and the traffic in fixed proportions.
        rows = rows.sum(axis=1, keepdims=True)
    weights = least_squares(rows / y[:, None], np.ones(len(y)))

    def value(operator: Operator) -> float:
        terms = np.array(_terms(operator))
        return max(float((terms if len(weights) > 1 else terms.sum(keepdims=True)) @ weights), LEAST_MS / 100)

    return value


def _terms(operator: Operator) -> list[float]:
    return [1.0, operator.flops / 1e7, operator.bytes / 1e5]


def _distance(one: Operator, other: Operator) -> float:
    return abs(math.log((one.flops + 1) / (other.flops + 1))) + abs(
        math.log((one.bytes + 1) / (other.bytes + 1))
    )


def _order(operator: Operator) -> tuple[str, str]:
    return operator.name, operator.arguments
