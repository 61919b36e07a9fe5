"""Checks of constraints before the search: relative bounds become absolute, and unreachable bounds are refused."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, Infeasible, NoResult
from denas_core.evaluation.evaluator import Evaluator
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.latency.thin import measures_whole
from denas_core.text import quantity
from denas_core.values.latency import with_interval
from denas_core.values.objectives import Constraint

from .feasible import largest_value

ATTEMPTS = 3


def reachable(
    constraints: list[Constraint], space: SearchSpace
) -> tuple[list[Constraint], dict[str, tuple[float, float]]]:
    """Return the constraints with relative bounds made absolute, and the reachable range of their metrics.

    Bounds on measured metrics must be absolute already, see `absolute_bounds`.

    A relative bound is a fraction of the largest value: that of the full architecture for the space's
    `bounded_metrics`, else the largest that is found, see `largest_value`.

    Raises:
        Infeasible: a bound is outside the reachable range. The text gives the range.
        ConfigError: a bound is relative, but the space has no full architecture.
    """
    smallest, full = space.smallest(), space.full()
    ranges: dict[str, tuple[float, float]] = {}
    absolute: list[Constraint] = []
    if (
        any(not constraint.is_measured for constraint in constraints)
        and smallest is not None
        and full is not None
    ):
        low, high = space.cost(smallest), space.cost(full)
        ranges = {name: (low[name], high[name]) for name in low if name in high}
    for constraint in constraints:
        metric = constraint.metric
        if constraint.relative:
            if metric not in ranges:
                raise ConfigError(
                    f"constraint {str(constraint)!r} is relative, but {space.id!r} has no full architecture to "
                    f"compare {metric} with; give an absolute bound"
                )
            assert full is not None, "there are ranges only where there is a full architecture"
            is_bounded = metric in space.bounded_metrics()
            largest = ranges[metric][1] if is_bounded else largest_value(space, full, metric)
            if not largest > 0:
                raise ConfigError(
                    f"constraint {str(constraint)!r}: no architecture of {space.id!r} has any {metric}"
                )
            constraint = dataclasses.replace(constraint, bound=constraint.bound * largest, relative=False)
        absolute.append(constraint)
        if constraint.is_measured:
            continue
        if metric not in ranges or metric not in space.bounded_metrics():
            continue
        low_end, high_end = ranges[metric]
        if constraint.upper and low_end > constraint.bound:
            raise Infeasible(
                f"no architecture of {space.id!r} has {constraint}: the smallest has {quantity(low_end)} {metric}; "
                f"the reachable range is {quantity(low_end)} to {quantity(high_end)}"
            )
        if not constraint.upper and high_end < constraint.bound:
            raise Infeasible(
                f"no architecture of {space.id!r} has {constraint}: the largest has {quantity(high_end)} {metric}; "
                f"the reachable range is {quantity(low_end)} to {quantity(high_end)}"
            )
    check_contradictions(absolute)
    return absolute, {
        c.metric: ranges[c.metric]
        for c in absolute
        if c.metric in ranges and c.metric in space.bounded_metrics()
    }


def check_comparable(relative: Sequence[Constraint], space: SearchSpace) -> None:
    """Refuse bounds relative to a latency that cannot be measured.

    Raises:
        ConfigError: the space has no full architecture.
    """
    if relative and space.full() is None:
        raise ConfigError(
            f"constraint {str(relative[0])!r} is relative, but {space.id!r} has no full architecture to compare with; "
            "give an absolute bound"
        )


def find_full_latency(evaluator: Evaluator, relative: Sequence[Constraint]) -> dict[str, Any]:
    """Return the metrics of the full architecture on the target, in the form that `absolute_bounds` takes.

    They are measured, see `measure_full`. Where the machine is too noisy for that, a search that predicts latencies
    takes the prediction. A search for another machine takes it in any case, and one of networks that do not fit into
    memory too.

    Raises:
        NoResult: the latency is unstable, and nothing predicts it.
    """
    problem = evaluator.problem
    if problem.prediction is None:
        return measure_full(evaluator, relative)
    machine = problem.prediction.machine
    if machine is None and measures_whole(problem.space):
        with contextlib.suppress(NoResult):
            return measure_full(evaluator, relative, attempts=1)
    full = problem.space.full()
    assert full is not None, "check_comparable has seen it"
    with plugin_errors(f"predicting the latency of {problem.space.id!r}"):
        latency = problem.prediction.latency(full)
        found = problem.space.latency_metrics(latency, problem.prediction.units)
    other = {} if machine is None else {"machine": machine}
    return {constraint.metric: {**found[constraint.metric].as_dict(), **other} for constraint in relative}


def measure_full(
    evaluator: Evaluator, relative: Sequence[Constraint], *, attempts: int = ATTEMPTS
) -> dict[str, Any]:
    """Return the measured metrics of the full architecture.

    They are measured in the same way as those of a candidate: by the same probe, beside the same reference. An unstable
    measurement is repeated, because the bounds for all candidates depend on it.

    Raises:
        NoResult: the latency is unstable.
    """
    space, names = evaluator.problem.space, ", ".join(map(str, relative))
    with plugin_errors(f"measuring {space.id!r}"):
        full = space.full()
        assert full is not None, "check_comparable has seen it"
        for _ in range(attempts):
            latency, measured = evaluator.measured_metrics(full)
            if latency.verdict == "stable":
                return {constraint.metric: measured[constraint.metric].as_dict() for constraint in relative}
    raise NoResult(
        f"constraint {names!r} needs the latency of the full architecture of {space.id!r}, which is unstable: "
        f"{latency.median:.3g} ms [{latency.low:.3g}, {latency.high:.3g}] in the last of {attempts} attempts"
        f"{f' ({latency.reason})' if latency.reason else ''}; wait until the machine is idle, raise the probe's "
        "seconds, max_rounds or precision, or give an absolute bound"
    )


def absolute_bounds(
    relative: Sequence[Constraint], full: Mapping[str, Any]
) -> tuple[list[Constraint], list[str]]:
    """Return the constraints with absolute bounds, and a notice for each that says how its bound was computed.

    Args:
        relative: Constraints with relative bounds on measured metrics.
        full: What `find_full_latency` returned.
    """
    absolute, notices = [], []
    for constraint in relative:
        known = full[constraint.metric]
        found = dataclasses.replace(constraint, bound=constraint.bound * known["median"], relative=False)
        absolute.append(found)
        notices.append(
            f"{constraint} is {found}: the full architecture takes {with_interval(known)}{_origin(known)}"
        )
    return absolute, notices


def _origin(known: Mapping[str, Any]) -> str:
    if known["verdict"] != "predicted":
        return ""
    if "machine" in known:
        return f", by prediction for machine {known['machine']!r}"
    return ", by prediction, because it could not be measured"


def check_contradictions(constraints: Sequence[Constraint]) -> None:
    """Refuse constraints that no architecture can satisfy together.

    Raises:
        Infeasible: two constraints contradict each other. The text names them.
    """
    for upper in (c for c in constraints if c.upper):
        for lower in (c for c in constraints if not c.upper and c.metric == upper.metric):
            if lower.bound > upper.bound:
                raise Infeasible(f"constraints {str(upper)!r} and {str(lower)!r} contradict each other")
