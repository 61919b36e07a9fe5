"""Constraints, objectives and budgets, and how they are read from the short texts that users write."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from denas_core.errors import ConfigError
from denas_core.text import quantity

from .metrics import CORE_METRICS, Metrics
from .table import Direction
from .units import SHORT_NAMES, UNITS, units_of

SCORE = "score"
"""Name of the objective that is the combined score. All other objectives are metrics."""

_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DIRECTIONS: Mapping[str, Direction] = {"max": "maximize", "min": "minimize"}
_NUMBER = r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)"


@dataclasses.dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on a metric.

    Attributes:
        metric: Name of the metric.
        upper: True for ``<=``, False for ``>=``.
        bound: The bound. If `relative`, it is a factor of the metric of the full architecture.
        relative: Whether the bound was written as ``0.6x``.
        is_measured: Whether the metric is measured on the target; by default as the core declares it.
    """

    metric: str
    upper: bool
    bound: float
    relative: bool = False
    is_measured: bool = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.is_measured is None:
            object.__setattr__(self, "is_measured", CORE_METRICS.is_measured(self.metric))

    @classmethod
    def parse(cls, text: str, metrics: Metrics = CORE_METRICS) -> Constraint:
        """Read a bound such as ``params<=1M``, ``latency<10ms``, ``flops>=10e6`` or ``latency_ms<=0.6x``.

        ``<`` means ``<=``, and ``>`` means ``>=``.

        Args:
            text: The constraint.
            metrics: The metrics that it may name.

        Raises:
            ConfigError: the text has another form, names an unknown metric or unit, or its bound is not positive and
                finite.
        """
        match = re.fullmatch(rf"\s*([a-z_0-9]+)\s*([<>]=?)\s*{_NUMBER}\s*([a-zµ]*)\s*", text, re.IGNORECASE)
        if match is None or match.group(4).lower() not in {*UNITS, "x"}:
            raise ConfigError(
                f"constraint {text!r} is not of the form 'metric<=number' or 'metric>=number', "
                "such as 'params<=1M', 'latency<=5ms' or 'params<=0.6x'"
            )
        name, sign, number, unit = match.groups()
        declared = metrics.check(SHORT_NAMES.get(name, name), origin=f"constraint {text!r}")
        metric = declared.name
        relative = unit.lower() == "x"
        # A metric that is not known yet may have any unit. The text is read again when space and probe are known.
        is_known = metrics.others == "unknown" or metrics.knows(metric)
        factors = (
            units_of(metric, is_count=not declared.is_measured) if is_known else dict.fromkeys(UNITS, 1.0)
        )
        if not relative and unit.lower() not in factors:
            known = ", ".join(repr(each) for each in factors if each)
            raise ConfigError(
                f"constraint {text!r}: {metric} takes {f'the units {known}' if known else 'no unit'}, not {unit!r}"
            )
        bound = float(number) * (1.0 if relative else factors[unit.lower()])
        if not math.isfinite(bound) or bound <= 0:
            raise ConfigError(f"constraint {text!r} needs a positive, finite bound")
        return cls(metric, sign[0] == "<", bound, relative, declared.is_measured)

    def __str__(self) -> str:
        return (
            f"{self.metric}{'<=' if self.upper else '>='}{quantity(self.bound)}{'x' if self.relative else ''}"
        )

    def violation(self, value: float) -> float:
        """Return by how much `value` exceeds the bound, as a fraction of the bound; 0 if it does not."""
        excess = value - self.bound if self.upper else self.bound - value
        return max(0.0, excess / self.bound)

    def verdict(self, low: float, high: float) -> Literal["holds", "broken", "undecided"]:
        """Return whether the constraint holds for a whole interval; ``undecided`` if it holds for a part of it."""
        best, worst = (low, high) if self.upper else (high, low)
        if self.violation(worst) == 0:
            return "holds"
        return "broken" if self.violation(best) > 0 else "undecided"


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """The end of a search: a number of scored candidates, or a time.

    Attributes:
        candidates: Number of scored candidates; None for a time budget.
        seconds: Seconds of work, summed over resumes; None for a budget of candidates.
    """

    candidates: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str | int) -> Budget:
        """Read ``200``, ``60s``, ``5min`` or ``2h``.

        Raises:
            ConfigError: the text has another form, or its number is not positive and finite.
        """
        match = re.fullmatch(rf"\s*{_NUMBER}\s*([a-z]*)\s*", str(text), re.IGNORECASE)
        unit = match.group(2).lower() if match else ""
        if match is None or (unit and unit not in _SECONDS) or (not unit and not match.group(1).isdecimal()):
            raise ConfigError(
                f"budget {text!r} is neither a number of candidates, such as 200, nor a time, such as 60s, 5min or 2h"
            )
        amount = float(match.group(1)) * _SECONDS.get(unit, 1.0)
        if not math.isfinite(amount) or amount <= 0 or amount > 1e12:
            raise ConfigError(f"budget {text!r} must be positive and finite")
        return cls(seconds=amount) if unit else cls(candidates=int(match.group(1)))

    def __str__(self) -> str:
        return f"{self.seconds:g}s" if self.candidates is None else str(self.candidates)


@dataclasses.dataclass(frozen=True, slots=True)
class Objective:
    """One axis of the Pareto front.

    Attributes:
        name: ``score``, or the name of a metric.
        direction: Whether larger or smaller values are better: the score is maximised, a metric as it is declared; by
            default as the core declares it.
        is_measured: Whether the metric is measured on the target; by default as the core declares it.
    """

    name: str
    direction: Direction = None  # type: ignore[assignment]
    is_measured: bool = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.direction is None:
            direction = "maximize" if self.name == SCORE else CORE_METRICS.direction(self.name)
            object.__setattr__(self, "direction", direction)
        if self.is_measured is None:
            object.__setattr__(self, "is_measured", CORE_METRICS.is_measured(self.name))

    @classmethod
    def parse(cls, text: str, metrics: Metrics = CORE_METRICS) -> Objective:
        """Read ``score``, or the name or short name of a metric, with or without ``max:`` or ``min:`` before it.

        A metric that is counted may be an objective in either direction: under a bound on latency, more parameters can
        be the aim. The score and measured metrics are better in one direction only.

        Args:
            text: The objective.
            metrics: The metrics that it may name.

        Raises:
            ConfigError: the text has another form, the name is unknown, or the direction is not one that it can have.
        """
        origin = f"objective {text!r}"
        prefix, colon, rest = text.partition(":")
        name = (rest if colon else prefix).strip()
        if colon and (prefix.strip() not in _DIRECTIONS or not name):
            raise ConfigError(
                f"{origin} is not of the form 'metric', 'max:metric' or 'min:metric', such as 'max:score' or "
                "'min:latency_ms'"
            )
        if name == SCORE:
            objective = cls(name)
        else:
            metric = metrics.check(SHORT_NAMES.get(name, name), origin=origin, also=(SCORE,))
            objective = cls(metric.name, metric.direction, metric.is_measured)
        direction = _DIRECTIONS[prefix.strip()] if colon else objective.direction
        # What is not known yet may have any direction. The text is read again when space and probe are known.
        is_known = name == SCORE or metrics.others == "unknown" or metrics.knows(objective.name)
        if direction != objective.direction and is_known and (name == SCORE or objective.is_measured):
            better, prefix = ("larger", "max") if objective.direction == "maximize" else ("smaller", "min")
            raise ConfigError(
                f"{origin}: a {better} {objective.name} is always better; write '{prefix}:{objective.name}'"
            )
        return dataclasses.replace(objective, direction=direction)

    def cost(self, value: float) -> float:
        """Return `value` with the sign that makes smaller numbers better."""
        return value if self.direction == "minimize" else -value

    def text(self, metrics: Metrics = CORE_METRICS) -> str:
        """Return the shortest text that `parse` reads as this objective, given the same metrics."""
        if self.name == SCORE or self.direction == metrics.direction(self.name):
            return self.name
        return f"{'max' if self.direction == 'maximize' else 'min'}:{self.name}"


def violations(constraints: Iterable[Constraint], metrics: Mapping[str, float]) -> dict[Constraint, float]:
    """Return the violation of each broken constraint. `metrics` must contain the metric of each constraint."""
    amounts = {c: c.violation(metrics[c.metric]) for c in constraints}
    return {constraint: amount for constraint, amount in amounts.items() if amount > 0}
