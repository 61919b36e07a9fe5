"""How the components of a run become one value. Stored values show it if possible, else the plugins of the run do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from denas_core.errors import ConfigError
from denas_core.evaluation.scoring import Scoring, check_weights, component_columns
from denas_core.registry.registry import Registry
from denas_core.setup.stored import ranking_setup
from denas_core.values.ranking import log_rank_sum
from denas_core.values.sample import sample_of
from denas_core.values.table import Direction, Table
from denas_core.values.trial import Trial

from .calibrated import calibrated_config
from .insight import Insight


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """How the components of a run become one value.

    Attributes:
        weights: Positive weight by component.
        is_relative: Whether a value ranks a trial among the trials with which it was computed.
        combine: Returns the value of each scored trial.
        uses_sample: Whether it ranks trials against the random networks among them, see `sample_of`.
    """

    weights: Mapping[str, float]
    is_relative: bool
    combine: Callable[[Sequence[Trial]], list[float]]
    uses_sample: bool = False

    @classmethod
    def of(cls, scoring: Scoring) -> Combination:
        """Return how the components of a search combine."""
        return cls(
            weights=scoring.weights,
            is_relative=scoring.is_relative,
            combine=scoring.combine,
            uses_sample=scoring.uses_sample,
        )

    def sampled(self, trials: Sequence[Trial]) -> int:
        """Return the number of random networks against which these trials are ranked; 0 if among each other."""
        return len(sample_of(trials)) if self.uses_sample else 0

    def rank(self, trials: Sequence[Trial]) -> tuple[list[Trial], dict[str, float]]:
        """Return the scored trials, best first and ties by key, and their values by key."""
        scored = [trial for trial in trials if trial.is_scored]
        keys = [trial.arch.key for trial in scored]
        values = dict(zip(keys, self.combine(scored), strict=True))
        return sorted(scored, key=lambda trial: (-values[trial.arch.key], trial.arch.key)), values


def combination_of(
    path: Path, config: Mapping[str, Any], trials: Sequence[Trial], registry: Callable[[], Registry]
) -> Combination:
    """Return how a run combines its components, from its stored values or else from the plugin of its score.

    Args:
        path: The run directory.
        config: The configuration in its header.
        trials: Its trials.
        registry: Discovers the installed plugins; called only if the stored values do not suffice.

    Raises:
        DenasError: the stored values do not suffice, and the plugin cannot be used.
    """
    stored = stored_combination(path, trials)
    if stored is not None:
        return stored
    return Combination.of(
        ranking_setup(calibrated_config(path, config), registry(), origin=str(path)).scoring
    )


def stored_combination(
    path: Path, trials: Sequence[Trial], *, changed: Mapping[str, float] | None = None
) -> Combination | None:
    """Return how a run combines its components, from its stored values; None if these do not show it.

    Args:
        path: The run directory.
        trials: The trials of the run.
        changed: Weights that replace those of the run.

    Raises:
        ConfigError: a weight is negative or not finite, no weight is positive, or a weight is for a component that the
            run did not use for its ranking.
    """
    insight = Insight.read(path)
    scored = [trial for trial in trials if trial.is_scored]
    if insight is None or not scored:
        return None
    directions = cast("Mapping[str, Direction]", insight.directions)

    def log_ranks(rows: Sequence[Trial], weights: Mapping[str, float] = insight.weights) -> list[float]:
        sample = sample_of(rows) if insight.uses_sample else []
        return log_rank_sum(
            Table(
                columns=component_columns(weights, rows),
                weights=weights,
                directions=directions,
                sample=component_columns(weights, sample) if sample else None,
            )
        )

    def value_alone(rows: Sequence[Trial]) -> list[float]:
        ((name, column),) = component_columns(insight.weights, rows).items()
        sign = 1.0 if directions[name] == "maximize" else -1.0
        return [-math.inf if value is None else sign * value for value in column]

    combine = log_ranks if insight.is_relative else value_alone
    try:
        if not insight.is_relative and len(insight.weights) != 1:
            return None
        now = [value if math.isfinite(value) else None for value in combine(scored)]
        stored = [insight.values[trial.arch.key] for trial in scored]
    except (KeyError, TypeError, ValueError, ConfigError):
        return None
    # The plugin of a score may combine in another way. Only equal values show that this run combines like this.
    if now != stored:
        return None
    if not changed:
        return Combination(
            weights=insight.weights,
            is_relative=insight.is_relative,
            combine=combine,
            uses_sample=insight.uses_sample,
        )
    weights = _with_weights(path, insight, changed)
    return Combination(
        weights=weights,
        is_relative=True,
        combine=lambda rows: log_ranks(rows, weights),
        uses_sample=insight.uses_sample,
    )


def _with_weights(path: Path, insight: Insight, changed: Mapping[str, float]) -> dict[str, float]:
    if not insight.is_relative:
        raise ConfigError(f"run {str(path)!r} has a single score, which takes no weights")
    check_weights(changed)
    weights = {name: weight for name, weight in {**insight.weights, **changed}.items() if weight > 0}
    for unknown in weights.keys() - insight.weights.keys():
        raise ConfigError(
            f"run {str(path)!r} did not rank by component {unknown!r} (it has {', '.join(insight.weights)}), and "
            "without its plugins nothing else is known of it"
        )
    if not weights:
        raise ConfigError(f"every component of run {str(path)!r} has weight 0; give one a positive weight")
    return weights
