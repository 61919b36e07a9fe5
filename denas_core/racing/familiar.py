"""The familiar network of about the size of the first finalist: what a user would take without a search."""

from __future__ import annotations

from denas_core.contracts.problem import Problem
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.text import quantity
from denas_core.values.architecture import Architecture

COSTS = ("params", "flops")


def familiar_beside(
    first: Architecture, problem: Problem
) -> tuple[tuple[str, Architecture] | None, list[str]]:
    """Return the familiar network beside the first finalist with its name, None if the space has none, and notices.

    Args:
        first: The first finalist.
        problem: The space and the budgets, which the familiar network may break.
    """
    space = problem.space
    with plugin_errors(f"space {space.id!r}"):
        cost = problem.cost(first)
        found = space.familiar(cost) if set(COSTS) <= set(cost) else None
        size = f" ({quantity(cost['params'])} parameters)" if "params" in cost else ""
        if found is None:
            return None, [
                f"space {space.id!r} has no familiar network of about the size of finalist 1{size}, so none takes part"
            ]
        name, arch = found
        own, broken = problem.cost(arch), problem.violations(arch)
    notice = f"the familiar network is {name} with {quantity(own['params'])} parameters; finalist 1 has "
    notice += quantity(cost["params"])
    if broken:
        notice += f"; it breaks the budget{'s' if len(broken) > 1 else ''} {', '.join(map(str, broken))}"
    return (str(name), arch), [notice]
