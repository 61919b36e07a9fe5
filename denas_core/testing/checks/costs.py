"""What the costs of a search space must be: counts, the same each time, bounded by its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.members import ends, samples
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def costs_are_counts(space: SearchSpace) -> None:
    """cost() has params and flops, and all it gives are finite numbers that are not negative."""
    from denas_core.errors import ScoreFailed
    from denas_core.values.number import coerce_score

    for arch in (*ends(space), *samples(space, 2)):
        cost = space.cost(arch)
        missing = {"params", "flops"} - set(cost)
        require(not missing, f"cost() lacks {', '.join(sorted(missing))}; budgets and rankings need both")
        for name, value in cost.items():
            try:
                is_count = coerce_score(value) >= 0
            except ScoreFailed:
                is_count = False
            require(
                is_count,
                f"cost() gives {name}={value!r} for {safe_repr(arch.as_dict())}; return a number >= 0",
            )


def costs_repeat(space: SearchSpace) -> None:
    """cost() gives the same numbers each time."""
    for arch in (*ends(space), *samples(space, 2)):
        first, second = dict(space.cost(arch)), dict(space.cost(arch))
        require(
            first == second,
            f"cost() of {safe_repr(arch.as_dict())} is {safe_repr(first)} and then {safe_repr(second)}; count, do "
            "not measure",
        )


def ends_bound_every_network(space: SearchSpace) -> None:
    """No network costs less than smallest() or more than full() in a metric of bounded_metrics()."""
    smallest, full = space.smallest(), space.full()
    bounded = space.bounded_metrics()
    if smallest is None or full is None or not bounded:
        raise CheckSkipped("it names no metric that its ends bound")
    low, high = space.cost(smallest), space.cost(full)
    for arch in samples(space, 24):
        cost = space.cost(arch)
        for metric in bounded:
            require(
                low[metric] <= cost[metric] <= high[metric],
                f"{safe_repr(arch.as_dict())} has {cost[metric]:g} {metric}, outside {low[metric]:g} to "
                f"{high[metric]:g}: "
                "order knob values from small to large, define smallest() and full(), or leave the metric out of "
                "bounded_metrics()",
            )


COST_CHECKS: tuple[Check, ...] = (
    costs_are_counts,
    costs_repeat,
    ends_bound_every_network,
)
