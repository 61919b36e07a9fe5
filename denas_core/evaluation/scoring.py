"""The scoring of a run: its components, their weights, and how their values are combined."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from denas_core.contracts.rungs import flat
from denas_core.contracts.score import CONTINUOUS_INPUT, CombinedScore, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.values.sample import sample_of
from denas_core.values.table import Direction, Table
from denas_core.values.trial import STATES, Trial
from denas_core.values.views import is_part_of

LARGEST_WEIGHT = 1e6

LATENCY = "latency"
"""Name of the component that is measured and not computed by a score."""


class Scoring:
    """The components of a run, and how their values become one value.

    Attributes:
        components: Scores with a positive weight, by component name.
        weights: Positive weights by component. `LATENCY` is included if latency is part of the score.
        rungs: Names of the components in groups, in the order in which they are computed, see `CombinedScore.rungs`.
        is_relative: Whether the combined value ranks trials within the run, and cannot be compared between runs.
        uses_sample: Whether trials are ranked against the random networks of the run, see `sample_of`.
        notices: Default components that were left out, and why, and whether scores read logits as features.
    """

    def __init__(
        self, score: ProxyScore | CombinedScore, space: SearchSpace, resolve: Callable[[str], ProxyScore]
    ) -> None:
        """Determine the components and their weights.

        Args:
            score: The score of the run.
            space: The space of the run.
            resolve: Creates the installed score with a given name.

        Raises:
            ConfigError: a weight is negative or not finite, no weight is positive, or the user named a component that
                does not work with this space.
        """
        self._score = score
        self._space = space
        self.components: dict[str, ProxyScore] = {}
        self.weights: dict[str, float] = {}
        self.notices: list[str] = []
        self._kinds: frozenset[str] | None = None
        self.is_relative = isinstance(score, CombinedScore) and score.is_relative
        self.uses_sample = isinstance(score, CombinedScore) and score.uses_sample
        if isinstance(score, ProxyScore):
            self._add(score.id.partition("/")[2] or score.id, score, 1.0, named=True)
        else:
            self._add_components(score, resolve)
        self.rungs = _checked_rungs(score, self.components)
        self._add_notice_of_features()

    def _add_components(self, score: CombinedScore, resolve: Callable[[str], ProxyScore]) -> None:
        space = self._space
        with plugin_errors(f"score {score.id!r}: default_weights()"):
            weights = {**score.default_weights(space), **score.weights}
        check_weights(weights)
        for name, weight in weights.items():
            if weight == 0:
                continue
            if name == LATENCY:
                self.weights[name] = weight
            else:
                with plugin_errors(f"score {score.id!r}: component()"):
                    component = score.component(name, space)
                if not isinstance(component, ProxyScore):
                    component = resolve(name)
                self._add(name, component, weight, named=name in score.weights)
        if not self.weights:
            left_out = "; ".join(self.notices)
            if not any(weight == 0 for weight in weights.values()):
                raise ConfigError(f"no component of {score.id!r} is left: {left_out}")
            besides = f" ({left_out})" if left_out else ""
            raise ConfigError(
                f"every component of {score.id!r} has weight 0{besides}; give one a positive weight"
            )

    @property
    def needs_latency(self) -> bool:
        """Whether the measured latency is part of the score."""
        return LATENCY in self.weights

    def values(self, trials: Sequence[Trial]) -> dict[str, float]:
        """Return the combined value of each scored trial by its key, computed from these trials only.

        If the score uses a sample, it is the one of these trials: see `sample_of`. A trial that lacks a component, or
        whose latency is unstable, ranks last in that component.

        Raises:
            ConfigError: none of the trials has a value for a component.
        """
        scored = [trial for trial in trials if trial.is_scored]
        keys = [trial.arch.key for trial in scored]
        return dict(zip(keys, self.combine(scored), strict=True))

    def combine(self, scored: Sequence[Trial]) -> list[float]:
        """Return the combined value of each of these scored trials. An architecture may occur more than once.

        Raises:
            ConfigError: see `values`.
        """
        if not scored:
            return []
        columns = component_columns(self.weights, scored)
        for name, column in columns.items():
            measured = name == LATENCY and any(trial.evaluation.latency is not None for trial in scored)
            if all(value is None for value in column) and not measured:
                known = sorted(scored[0].evaluation.components)
                hint = (
                    "; measure it in a new search" if name == LATENCY else "; 'denas rank --compute' adds it"
                )
                raise ConfigError(
                    f"component {name!r} was not computed in this run (it has {', '.join(known)}){hint}"
                )
        sample = sample_of(scored) if self.uses_sample else []
        return self.combine_columns(columns, component_columns(self.weights, sample) if sample else None)

    def combine_columns(
        self,
        columns: Mapping[str, Sequence[float | None]],
        sample: Mapping[str, Sequence[float | None]] | None = None,
    ) -> list[float]:
        """Return the combined value of each row of a table with these columns, some or all of the components."""
        directions = self._directions()
        table = Table(
            columns=columns,
            weights={name: self.weights[name] for name in columns},
            directions={name: directions[name] for name in columns},
            sample=sample,
        )
        if isinstance(self._score, CombinedScore):
            return self._combined(self._score, table)
        (name,) = columns
        sign = 1.0 if self._score.direction == "maximize" else -1.0
        return [-math.inf if value is None else sign * value for value in columns[name]]

    def _combined(self, score: CombinedScore, table: Table) -> list[float]:
        with plugin_errors(f"score {score.id!r}: combine()"):
            values = [float(value) for value in score.combine(table, self._space)]
        if len(values) != len(table) or any(math.isnan(value) for value in values):
            raise PluginError(
                f"score {score.id!r} combines {len(table)} rows to {len(values)} values, or to NaN"
            )
        return values

    def lacking(self, trials: Sequence[Trial]) -> dict[str, int]:
        """Return the number of scored trials without a value by component, for components that lack any."""
        scored = [trial for trial in trials if trial.is_scored]
        counts = {name: sum(_value(trial, name) is None for trial in scored) for name in self.weights}
        return {name: count for name, count in counts.items() if count}

    def rank(self, trials: Sequence[Trial]) -> tuple[list[Trial], dict[str, float]]:
        """Return the trials, best first, and the values of the scored ones.

        Scored trials come first, ordered by value and then by key. Trials that were cut follow, then infeasible ones,
        ordered by violation, then failed ones.
        """
        values = self.values(trials)
        places = {state: place for place, state in enumerate(STATES)}

        def order(trial: Trial) -> tuple[int, float, str]:
            result = trial.evaluation
            merit = -values[trial.arch.key] if trial.is_scored else result.violation
            return places[result.state], merit, trial.arch.key

        return sorted(trials, key=order), values

    def _add(self, name: str, component: ProxyScore, weight: float, *, named: bool) -> None:
        with plugin_errors(f"score {name!r}: requires() or passes()"):
            required = sorted(component.requires())
            tuple(component.passes())
        with plugin_errors(f"space {self._space.id!r}"):
            unsuitable = None if named else self._space.unsuitable_scores().get(name)
            lacking = [role for role in required if not self._has_role(role)]
        if lacking and named:
            raise ConfigError(f"score component {name!r} needs {lacking[0]}, and {self._space.id!r} has none")
        if lacking or unsuitable:
            reason = f"{self._space.id} has no {lacking[0]}" if lacking else unsuitable
            self.notices.append(f"{name} is left out: {reason}")
            return
        self.components[name] = component
        self.weights[name] = weight

    def _add_notice_of_features(self) -> None:
        if any(component.reads_features for component in self.components.values()):
            with plugin_errors(f"space {self._space.id!r}"):
                has_only_logits = _has_only_logits(self._space)
            if has_only_logits:
                self.notices.append(
                    f"networks of {self._space.id} give no features, so scores read their logits in place of these; to "
                    "give both, let the network return (features, logits)"
                )

    def _has_role(self, role: str) -> bool:
        if role == CONTINUOUS_INPUT:
            return bool(self._space.batch(1, seed=0).perturbable)
        if self._kinds is None:
            self._kinds = self._space.kinds()
        return any(is_part_of(kind, role) for kind in self._kinds)

    def _directions(self) -> Mapping[str, Direction]:
        return {
            name: "minimize" if name == LATENCY else self.components[name].direction for name in self.weights
        }


def _has_only_logits(space: SearchSpace) -> bool:
    """Return whether networks give their logits as features too. A network without a head gives its features twice."""
    import torch

    arch = space.smallest() or space.sample(random.Random(0))
    with torch.device("meta"), torch.no_grad():
        outputs = space.forward(space.build(arch).eval(), space.batch(1, seed=0, kind="cost"))
    if all(logits is not outputs.features for logits in outputs.logits.values()):
        return False
    return type(space).forward is SearchSpace.forward or outputs.features.dim() == 2


def _checked_rungs(
    score: ProxyScore | CombinedScore, components: Mapping[str, ProxyScore]
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of components of a score.

    Raises:
        PluginError: a component is in no group, or in several.
    """
    if not isinstance(score, CombinedScore) or not components:
        return (tuple(components),)
    with plugin_errors(f"score {score.id!r}: rungs()"):
        rungs = tuple(tuple(group) for group in score.rungs(components))
    if sorted(flat(rungs)) != sorted(components) or not all(rungs):
        raise PluginError(
            f"score {score.id!r}: rungs() must have each of {', '.join(components)} in one group, not {rungs!r}"
        )
    return rungs


def check_weights(weights: Mapping[str, float]) -> None:
    """Check that weights are finite and at least 0.

    Raises:
        ConfigError: a weight is not. The text names it.
    """
    for name, weight in weights.items():
        if not 0 <= weight <= LARGEST_WEIGHT:
            raise ConfigError(
                f"weight {name}={weight!r} must be a finite number >= 0, at most {LARGEST_WEIGHT:g}; "
                "0 leaves the component out"
            )


def component_columns(names: Iterable[str], scored: Sequence[Trial]) -> dict[str, list[float | None]]:
    """Return the values of each component, one for each trial; None if a trial has no value."""
    return {name: [_value(trial, name) for trial in scored] for name in names}


def _value(trial: Trial, name: str) -> float | None:
    result = trial.evaluation
    if name != LATENCY:
        return result.components.get(name)
    if not result.has_usable_latency:
        return None
    # A ranking must not mix both kinds of numbers, and few networks of a search with predictions are measured.
    return float((result.predicted or result.metrics)["latency_ms"])
