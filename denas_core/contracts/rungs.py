"""The order in which the components of a score are computed, by what they declare to cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from denas_core.values.passes import PassSpec, joined_passes


class DeclaresPasses(Protocol):
    """A score, as far as its cost is concerned."""

    def passes(self) -> Sequence[PassSpec]:
        """Return the passes that it needs."""


def rungs_by_passes(components: Mapping[str, DeclaresPasses]) -> list[list[str]]:
    """Return the names of the components in groups, the cheapest group first.

    Components that share a pass are in one group, because a shared pass runs once. Components without a pass are in the
    first group. The order depends on nothing that is measured, so that a resumed search has the same one.

    Args:
        components: The components by name. Each one declares its passes.
    """
    passes = {name: tuple(component.passes()) for name, component in components.items()}
    plan = joined_passes(spec for specs in passes.values() for spec in specs)
    groups: list[tuple[set[PassSpec], list[str]]] = []
    for name, specs in passes.items():
        used = {next(run for run in plan if run.covers(spec)) for spec in specs}
        names = [name]
        for group in [group for group in groups if group[0] & used]:
            groups.remove(group)
            used, names = used | group[0], group[1] + names
        if used:
            groups.append((used, names))
    groups.sort(key=lambda group: (sum(map(declared_cost, group[0])), group[1]))
    free = [name for name, specs in passes.items() if not specs]
    rungs = [names for _, names in groups]
    return [free + rungs[0], *rungs[1:]] if rungs else [free]


def declared_cost(spec: PassSpec) -> float:
    """Return the approximate cost of a pass, in forward runs of one sample in single precision.

    A backward run counts as two forward runs, a product with the Hessian as another four, and double precision twice.
    """
    runs = 1.0 + (2.0 if spec.needs_graph else 0.0) + (4.0 if "curvature" in spec.observe else 0.0)
    return spec.size * runs * (2.0 if spec.dtype == "float64" else 1.0)


def flat(rungs: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of all rungs in one list."""
    return [name for rung in rungs for name in rung]
