"""The objects of a search, made from its configuration: components are created, and options and constraints checked."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.component import Component
from denas_core.contracts.executor import Demand, Executor
from denas_core.contracts.prediction import Prediction, Predicts
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import CombinedScore, ProxyScore
from denas_core.contracts.scoring_data import ScoringData
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.strategy import Strategy
from denas_core.errors import ConfigError, NotInstalled
from denas_core.evaluation.evaluator import Evaluator
from denas_core.evaluation.scoring import Scoring
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.latency.thin import measures_whole
from denas_core.registry.loading import Kind
from denas_core.registry.registry import Registry
from denas_core.values.metrics import CORE_METRICS, Metrics, declared_metrics
from denas_core.values.objectives import SCORE, Budget, Constraint, Objective

from .bounds import absolute_bounds, check_comparable, check_contradictions, find_full_latency, reachable
from .checks import check_knobs, check_metrics, check_objects, choose_device
from .config import (
    COMPONENTS,
    ComponentConfig,
    DataConfig,
    DataTaskConfig,
    RunConfig,
    is_own_class,
)
from .data import check_batches, choose_data
from .feasible import check_feasible
from .memory_limit import MemoryNeed, memory_need, too_large
from .search_config import SearchConfig


@dataclasses.dataclass(kw_only=True)
class Setup:
    """The objects of a search.

    Attributes:
        config: The configuration of the search, with every option written out.
        components: All components of the configuration by kind, also a probe that the search does not use.
        problem: Space and absolute constraints.
        relative: Constraints relative to the measured latency of the full architecture. `resolve_latency_bounds` makes
            them absolute and empties this field.
        full_latency: The measured latency of the full architecture, by metric.
        distributions: Versions of the core and of the plugins that evaluate a candidate, by distribution.
        ranges: Reachable range of each constrained metric that is not measured, if the space bounds it.
        metrics: The metrics of the core, the space and the probe.
        notices: What the user should know before the search starts.
        data: The user's data, whose batches replace noise; None for noise.
    """

    config: RunConfig
    space: SearchSpace
    scoring: Scoring
    strategy: Strategy
    probe: LatencyProbe | None
    executor: Executor
    components: Mapping[str, Component]
    problem: Problem
    objectives: tuple[Objective, ...]
    budget: Budget
    device: str
    ranges: Mapping[str, tuple[float, float]]
    metrics: Metrics
    notices: list[str]
    relative: tuple[Constraint, ...] = ()
    full_latency: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: ScoringData | None = None
    distributions: Mapping[str, str] = dataclasses.field(default_factory=dict)

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
            ConfigError, NotInstalled, PluginError: a component cannot be made, or an option is wrong.
            Infeasible: no architecture satisfies a constraint, or the space is too large for this machine.
        """
        given = objects or {}
        check_objects(given)
        made: dict[str, Any] = {
            kind: given[kind] if kind in given else _create(kind, config, registry) for kind in COMPONENTS
        }
        space = made["space"]
        with plugin_errors(f"space {space.id!r}"):
            check_knobs(space)
        made["score"], scoring, left_out = _fitting(made["score"], space, registry, config.data is not None)
        metrics = declared_metrics({f"{kind} {made[kind].id!r}": made[kind] for kind in ("space", "probe")})
        named = objectives = tuple(Objective.parse(text, metrics) for text in config.objectives)
        bounds = [Constraint.parse(text, metrics) for text in config.constraints]
        relative = tuple(bound for bound in bounds if bound.relative and bound.is_measured)
        with plugin_errors(f"space {space.id!r}"):
            check_comparable(relative, space)
            constraints, ranges = reachable([bound for bound in bounds if bound not in relative], space)
        needs_latency = (
            measure_latency
            or config.search.machine is not None
            or scoring.needs_latency
            or any(bound.is_measured for bound in bounds)
            or any(objective.is_measured for objective in objectives)
        )
        if needs_latency and not any(objective.is_measured for objective in objectives):
            objectives = (*objectives, Objective("latency_ms"))
        with plugin_errors(f"space {space.id!r}"):
            check_metrics(
                space,
                metrics,
                [bound.metric for bound in bounds] + [o.name for o in objectives if o.name != SCORE],
            )
        device = choose_device(config.device)
        data = None if config.data is None else choose_data(registry, space, config.data)
        return cls(
            config=_written_out(config, made, device, data, [o.text(metrics) for o in named]),
            space=space,
            scoring=scoring,
            strategy=made["strategy"],
            probe=made["probe"] if needs_latency else None,
            executor=made["executor"],
            components=made,
            problem=Problem(space, constraints, objectives),
            objectives=objectives,
            budget=Budget.parse(config.budget),
            device=device,
            ranges=ranges,
            metrics=metrics,
            notices=[*left_out, *scoring.notices],
            relative=relative,
            data=data,
            distributions=registry.distributions(
                [space.id, made["score"].id, *(score.id for score in scoring.components.values())]
                + ([made["probe"].id] if needs_latency else [])
            ),
        )

    def check_feasible(self) -> None:
        """Check that some architecture keeps all constraints together, as far as they need no measurement.

        Raises:
            Infeasible: none was found; see `check_feasible` of the module `feasible`.
        """
        with plugin_errors(f"space {self.space.id!r}"):
            check_feasible(self.problem)

    @property
    def unpredictable(self) -> list[str]:
        """Measured metrics of bounds and objectives that do not follow from a latency, so that none is predicted."""
        used = [*self.problem.constraints, *self.relative]
        names = [bound.metric for bound in used if bound.is_measured]
        names += [objective.name for objective in self.objectives if objective.is_measured]
        return [name for name in dict.fromkeys(names) if name not in self._follow_from_latency]

    @property
    def measures(self) -> bool:
        """Whether latency is measured on this machine, of each candidate or of finalists.

        Predictions are not followed by measurements if networks of the space do not fit into memory.
        """
        if self.probe is None or self.config.search.machine is not None:
            return False
        return self.problem.prediction is None or self._measures_whole

    def predict_latency(self, predictor: Predicts) -> None:
        """Let a model predict the latency of candidates, and what follows from it, in place of measuring them.

        Call it before `resolve_latency_bounds`.
        """
        assert self.probe is not None, "the callers have checked that latency is needed"
        with plugin_errors(f"probe {self.probe.id!r}"):
            units = dict(self.probe.units(self.space))
        names = self._follow_from_latency
        self.objectives = tuple(_counted(objective, objective.name, names) for objective in self.objectives)
        self.problem = Problem(
            self.space,
            [_counted(bound, bound.metric, names) for bound in self.problem.constraints],
            self.objectives,
            Prediction(predictor=predictor, units=units, names=names, machine=self.config.search.machine),
        )

    def measure_candidates(self) -> None:
        """Measure the latency of each candidate, also when the run goes on, although the user wanted predictions."""
        self.config = self.config.model_copy(update={"search": SearchConfig(latency="measured")})

    def resolve_latency_bounds(self, known: Mapping[str, Any] | None = None) -> None:
        """Make bounds that are relative to a measured latency absolute.

        Args:
            known: The latency of the full architecture from an earlier part of the run; None measures it now.

        Raises:
            Infeasible: constraints contradict each other.
            NoResult: the latency of the full architecture is unstable.
        """
        if not self.relative:
            return
        self.full_latency = known or find_full_latency(self.evaluator(), self.relative)
        absolute, notices = absolute_bounds(self.relative, self.full_latency)
        prediction = self.problem.prediction
        if prediction is not None:
            absolute = [_counted(bound, bound.metric, prediction.names) for bound in absolute]
        constraints = (*self.problem.constraints, *absolute)
        check_contradictions(constraints)
        self.problem = Problem(self.space, constraints, self.objectives, prediction)
        self.relative = ()
        self.notices += notices

    def evaluator(self, components: Mapping[str, ProxyScore] | None = None) -> Evaluator:
        """Return the function that evaluates an architecture of this search, by default with all of its components.

        Raises:
            Infeasible: scoring the smallest network needs more memory than this machine has.
        """
        return Evaluator(
            self.problem,
            self.scoring.components if components is None else components,
            probe=self.probe,
            seed=self.config.seed,
            device=self.device,
            threads=self.config.threads,
            memory_limit=self._memory.limit,
            data=self.data,
            scoring=self.scoring if components is None and self.strategy.kept_share != 1 else None,
        )

    def open_data(self) -> None:
        """Read the user's data, if there are any, and check that every batch can be drawn from them.

        Raises:
            ConfigError: the data are missing, damaged or too few.
        """
        if self.data is not None:
            check_batches(self.data, self.scoring.components.values())

    def demand(self) -> Demand:
        """Return what evaluating one candidate needs, for the executor.

        Raises:
            Infeasible: see `evaluator`.
        """
        return Demand(
            threads=self.config.threads,
            device=self.device,
            memory=self._memory.largest,
            measures_latency=self.measures,
            full_latency=self.measures and bool(self.full_latency or self.relative),
            distributions=self.distributions,
        )

    @property
    def _follow_from_latency(self) -> frozenset[str]:
        own = self.space.metrics
        return frozenset(metric.name for metric in (*CORE_METRICS, *own) if metric.is_measured)

    @functools.cached_property
    def _measures_whole(self) -> bool:
        with plugin_errors(f"space {self.space.id!r}"):
            return measures_whole(self.space)

    @functools.cached_property
    def _memory(self) -> MemoryNeed:
        return memory_need(self.space, self.scoring.components.values(), on_data=self.data is not None)


def _counted(item: Any, name: str, predicted: frozenset[str]) -> Any:
    return dataclasses.replace(item, is_measured=False) if name in predicted else item


def _create(kind: Kind, config: RunConfig, registry: Registry) -> Any:
    chosen: ComponentConfig = getattr(config, kind)
    try:
        return registry.create(kind, chosen.name, chosen.options)
    except NotInstalled as error:
        # A misspelt short name looks like a class of a Python program, but a module's name usually has dots.
        is_misspelt = "did you mean" in str(error) and "." not in chosen.name
        if not is_own_class(chosen.name) or is_misspelt:
            raise
        raise NotInstalled(
            f"{kind} {chosen.name!r} is a class of a Python program and of no plugin, so the command line cannot make "
            f"it; from Python, denas_core.search({kind}=...) and denas_core.resume(RUN, objects={{{kind!r}: ...}}) "
            "take one"
        ) from error


def _proxy(registry: Registry, name: str) -> ProxyScore:
    score = registry.create("score", name)
    if not isinstance(score, ProxyScore):
        raise ConfigError(f"score {name!r} is a combination itself and cannot be a component")
    return score


def _fitting(
    score: Any, space: SearchSpace, registry: Registry, on_data: bool
) -> tuple[Any, Scoring, list[str]]:
    """Return a score without default components that take more memory than there is, its scoring, and notices.

    The components get weight 0, which the configuration of the run keeps, so that it goes on with the same ones
    elsewhere.
    """
    scoring = Scoring(score, space, lambda name: _proxy(registry, name))
    if not isinstance(score, CombinedScore):
        return score, scoring, []
    found = too_large(space, scoring.components, on_data=on_data)
    left_out = {name: why for name, why in found.items() if name not in score.weights}
    if not left_out or len(left_out) == len(scoring.weights):
        return score, scoring, []
    fitting = copy.copy(score)
    fitting.weights = {**score.weights, **dict.fromkeys(left_out, 0.0)}
    notices = [f"{name} is left out: {why}" for name, why in left_out.items()]
    return fitting, Scoring(fitting, space, lambda name: _proxy(registry, name)), notices


def _written_out(
    config: RunConfig,
    made: Mapping[str, Component],
    device: str,
    data: ScoringData | None,
    objectives: Sequence[str],
) -> RunConfig:
    parts: dict[str, Any] = {
        kind: ComponentConfig(name=made[kind].id, **made[kind].options()) for kind in COMPONENTS
    }
    if data is not None:
        task = DataTaskConfig(name=data.task.id, **data.task.options())
        parts["data"] = DataConfig(path=str(data.path), task=task)
    return config.model_copy(update={**parts, "device": device, "objectives": tuple(objectives)})
