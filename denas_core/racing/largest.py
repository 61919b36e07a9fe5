"""The largest network within the budgets: what a user would take who believes that larger is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denas_core.contracts.climb import climb
from denas_core.contracts.problem import Problem
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial

Size = tuple[float, float]


def largest_within(known: Sequence[Trial], problem: Problem) -> Architecture:
    """Return the largest architecture within the budgets that is found: by parameters, then by FLOPs.

    It is the full architecture if that keeps the budgets. Otherwise it is found by climbing from the largest known one:
    one knob at a time, the change that gives the most parameters, until no change gives more. If a budget is on a
    measured metric, it is the largest known one, because nothing is known of the latency of others.

    Args:
        known: Scored trials, which keep the budgets; at least one.
        problem: The space and the budgets.
    """
    with plugin_errors(f"space {problem.space.id!r}"):
        # Their costs are known already; counting those of many trials again would take a while.
        best = max(known, key=lambda trial: (_size(trial.evaluation.metrics), trial.arch.key)).arch
        if any(constraint.is_measured for constraint in problem.constraints):
            return best
        full = problem.space.full()
        if full is not None and not problem.violations(full):
            return max(full, best, key=lambda arch: _size(problem.cost(arch)))
        return climb(best, problem, _size)


def _size(cost: Mapping[str, float]) -> Size:
    return cost.get("params", 0.0), cost.get("flops", 0.0)
