"""From a configuration to the objects of a search: names resolved, options checked, budgets proven reachable."""

from __future__ import annotations

import dataclasses
import importlib
import random
from collections.abc import Iterable, Mapping
from typing import Any

from .blame import blamed
from .component import Component
from .config import COMPONENTS, ComponentConfig, RunConfig, is_own_class
from .errors import ConfigError, Infeasible, NotInstalled, did_you_mean
from .evaluator import Evaluator
from .executor import Executor
from .knobs import check_knobs
from .latency import LatencyProbe
from .machine import memory_bytes
from .objectives import Budget, Constraint, Objective, quantity
from .options import make_component
from .problem import Problem
from .registry import CONTRACTS, Registry
from .score import ProxyScore, largest_batch
from .scoring import Scoring
from .space import SearchSpace
from .strategy import Strategy

MEMORY_SHARE = 0.8
"""Share of the machine's memory that scoring one candidate may take."""


@dataclasses.dataclass(kw_only=True)
class Setup:
    """The objects of a search.

    Attributes:
        config: The configuration they were made from, with every option written out.
        problem: Space and absolute constraints.
        ranges: Reachable range of each constrained static metric, where the space knows its ends.
        notices: What the user should know before the search starts.
    """

    config: RunConfig
    space: SearchSpace
    scoring: Scoring
    strategy: Strategy
    probe: LatencyProbe | None
    executor: Executor
    problem: Problem
    objectives: tuple[Objective, ...]
    budget: Budget
    device: str
    ranges: Mapping[str, tuple[float, float]]
    notices: list[str]

    @classmethod
    def from_config(
        cls,
        config: RunConfig,
        registry: Registry,
        *,
        objects: Mapping[str, Component] | None = None,
        measure_latency: bool = False,
    ) -> Setup:
        """Create every component and check that the search can succeed.

        Args:
            config: The configuration.
            registry: The installed plugins.
            objects: Components made by the caller, by kind; they take the place of what the configuration names.
            measure_latency: Keep the probe even if nothing in the configuration asks for latency.

        Raises:
            ConfigError, NotInstalled, PluginError: a component or option cannot be had.
            Infeasible: a constraint that no architecture satisfies, or a space too large for this machine.
        """
        given = objects or {}
        check_objects(given)
        made: dict[str, Any] = {
            kind: given[kind] if kind in given else _create(kind, config, registry) for kind in COMPONENTS
        }
        space = made["space"]
        with blamed(f"space {space.id!r}"):
            check_knobs(space)
        scoring = Scoring(made["score"], space, lambda name: _proxy(registry, name))
        objectives = tuple(Objective.parse(text) for text in config.objectives)
        with blamed(f"space {space.id!r}"):
            constraints, ranges = reachable([Constraint.parse(text) for text in config.constraints], space)
        needs_latency = (
            measure_latency
            or scoring.needs_latency
            or any(constraint.is_measured for constraint in constraints)
            or any(objective.is_measured for objective in objectives)
        )
        if needs_latency and not any(objective.is_measured for objective in objectives):
            objectives = (*objectives, Objective("latency_ms"))
        with blamed(f"space {space.id!r}"):
            check_metrics(
                space, [c.metric for c in constraints] + [o.name for o in objectives if o.name != "score"]
            )
        device = choose_device(config.device)
        return cls(
            config=_written_out(config, made, device),
            space=space,
            scoring=scoring,
            strategy=made["strategy"],
            probe=made["probe"] if needs_latency else None,
            executor=made["executor"],
            problem=Problem(space, constraints, objectives),
            objectives=objectives,
            budget=Budget.parse(config.budget),
            device=device,
            ranges=ranges,
            notices=list(scoring.notices),
        )

    def evaluator(self) -> Evaluator:
        """Return the function that evaluates an architecture of this search.

        Raises:
            Infeasible: not even the smallest network can be scored in this machine's memory.
        """
        return Evaluator(
            self.problem,
            self.scoring.components,
            probe=self.probe,
            seed=self.config.seed,
            device=self.device,
            threads=self.config.threads,
            memory_limit=self._memory_limit(),
        )

    def _memory_limit(self) -> int | None:
        # Guard single candidates only where the largest of the space would not fit: the estimate costs a pass.
        size = largest_batch(self.scoring.components.values())
        available = memory_bytes()
        if size == 0 or available is None:
            return None
        with blamed(f"space {self.space.id!r}"):
            return self._memory_limit_of(size, int(available * MEMORY_SHARE))

    def _memory_limit_of(self, size: int, limit: int) -> int | None:
        from .cost import scoring_memory_bytes

        smallest, full = self.space.smallest(), self.space.full()
        if smallest is not None and (needed := scoring_memory_bytes(self.space, smallest, size)) > limit:
            raise Infeasible(
                f"the smallest architecture of {self.space.id!r} takes {quantity(needed)}B of memory to score, and "
                f"{quantity(limit)}B are there; lower its options or the score's batch size"
            )
        if full is not None and scoring_memory_bytes(self.space, full, size) <= limit:
            return None
        return limit


def check_objects(objects: Mapping[str, Component]) -> None:
    """Check components that the caller made, as those from a configuration are checked.

    Raises:
        ConfigError: one is of another kind than its name says, or has an option out of its bounds.
    """
    for unknown in objects.keys() - CONTRACTS.keys():
        raise ConfigError(f"there is no component {unknown!r}{did_you_mean(unknown, CONTRACTS)}")
    for kind in CONTRACTS:
        if kind not in objects:
            continue
        component = objects[kind]
        contracts = [_contract(reference) for reference in CONTRACTS[kind]]
        if not isinstance(component, tuple(contracts)):
            wanted = " or ".join(contract.__name__ for contract in contracts)
            raise ConfigError(f"the {kind} must be a {wanted}, not {type(component).__name__}")
        make_component(type(component), component.options(), id=component.id)


def reachable(
    constraints: list[Constraint], space: SearchSpace
) -> tuple[list[Constraint], dict[str, tuple[float, float]]]:
    """Return the constraints with relative bounds made absolute, and the reachable range of their metrics.

    Raises:
        Infeasible: a constraint lies outside the range; says the nearest value that does not.
        ConfigError: a relative bound in a space without a full architecture, or on a metric that is measured.
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
            if constraint.is_measured or metric not in ranges:
                raise ConfigError(
                    f"constraint {str(constraint)!r} is relative, but {space.id!r} has no full architecture to "
                    f"compare {metric} with; give an absolute bound"
                )
            constraint = dataclasses.replace(
                constraint, bound=constraint.bound * ranges[metric][1], relative=False
            )
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
    _check_contradictions(absolute)
    return absolute, {
        c.metric: ranges[c.metric]
        for c in absolute
        if c.metric in ranges and c.metric in space.bounded_metrics()
    }


def check_metrics(space: SearchSpace, names: Iterable[str]) -> None:
    """Refuse metrics that `space` does not have.

    Raises:
        ConfigError: names the metric and those there are.
    """
    wanted = list(names)
    known = list(space.measured_metrics)
    if any(name not in known for name in wanted):
        # What a space counts is seen on any of its networks.
        known = [*space.cost(space.smallest() or space.sample(random.Random(0))), *known]
    for name in wanted:
        if name not in known:
            raise ConfigError(f"space {space.id!r} has no metric {name!r}; it has {', '.join(known)}")


def choose_device(device: str) -> str:
    """Return ``cpu`` or ``cuda`` for what the user asked.

    Raises:
        ConfigError: CUDA is asked for and not there.
    """
    if device == "cpu":
        return device
    import torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ConfigError("device 'cuda' is not available on this machine; use --device cpu")
    return "cuda" if available else "cpu"


def _check_contradictions(constraints: list[Constraint]) -> None:
    for upper in (c for c in constraints if c.upper):
        for lower in (c for c in constraints if not c.upper and c.metric == upper.metric):
            if lower.bound > upper.bound:
                raise Infeasible(f"constraints {str(upper)!r} and {str(lower)!r} contradict each other")


def _create(kind: str, config: RunConfig, registry: Registry) -> Any:
    chosen: ComponentConfig = getattr(config, kind)
    try:
        return registry.create(kind, chosen.name, chosen.options)  # type: ignore[arg-type]
    except NotInstalled as error:
        # A bare name that is misspelt looks the same, but for the dots of a module.
        is_misspelt = "did you mean" in str(error) and "." not in chosen.name
        if not is_own_class(chosen.name) or is_misspelt:
            raise
        raise NotInstalled(
            f"{kind} {chosen.name!r} is a class of a Python program and of no plugin, so the command line cannot make "
            f"it; from Python, denas_core.search({kind}=...) and denas_core.resume(RUN, objects={{{kind!r}: ...}}) "
            "take one"
        ) from error


def _contract(reference: str) -> type[Any]:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _proxy(registry: Registry, name: str) -> ProxyScore:
    score = registry.create("score", name)
    if not isinstance(score, ProxyScore):
        raise ConfigError(f"score {name!r} is a combination itself and cannot be a component")
    return score


def _written_out(config: RunConfig, made: Mapping[str, Component], device: str) -> RunConfig:
    parts = {kind: ComponentConfig(name=made[kind].id, **made[kind].options()) for kind in COMPONENTS}
    return config.model_copy(update={**parts, "device": device})
