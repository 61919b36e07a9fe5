"""A run whose networks are trained: its space, its ranking, and which of its networks stand for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.results.combination import Combination
from denas_core.runs.files import read_run
from denas_core.setup.config import make_config
from denas_core.setup.stored import check_unchanged, ranking_setup
from denas_core.values.trial import Trial

from .stratified import stratified


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SearchedRun:
    """A run, as the training of its networks needs it.

    Attributes:
        path: Its directory.
        config: The configuration in its header.
        space: Its space.
        trials: All of its trials.
        combination: How its components become one value, with the weights of its search.
        ranked: Its scored trials, best first.
        values: Combined value of each scored trial by key.
    """

    path: Path
    config: Mapping[str, Any]
    space: SearchSpace
    trials: Sequence[Trial]
    combination: Combination
    ranked: Sequence[Trial]
    values: Mapping[str, float]

    def choose(self, count: int) -> list[Trial]:
        """Return `count` scored trials that cover its sizes, and its ranks within each range of sizes.

        Raises:
            ConfigError: there are fewer.
        """
        if count > len(self.ranked):
            raise ConfigError(
                f"run {str(self.path)!r} has {len(self.ranked)} scored trials, which is less than the {count} networks "
                "of --train; lower --train, or go on with the search with a larger --budget"
            )
        places = {trial.arch.key: place for place, trial in enumerate(self.ranked)}
        return stratified(
            self.ranked,
            count,
            band=lambda trial: trial.evaluation.metrics["params"],
            rank=lambda trial: -places[trial.arch.key],
        )


def read_searched_run(
    path: Path, registry: Registry, *, space_options: Mapping[str, Any] | None = None
) -> SearchedRun:
    """Read a run whose networks will be trained.

    Args:
        path: Its directory.
        registry: The installed plugins.
        space_options: Options of its space that replace those of the run; they must not change the networks.

    Raises:
        ConfigError: there is no run, its space has changed, or it has no scored trial.
        StoreDamaged, StorageError: it cannot be read.
    """
    with read_run(path) as store:
        header, trials = store.header(), store.trials()
    config = make_config(header["config"], origin=str(path))
    options = {**config.space.options, **(space_options or {})}
    origin = "the command line" if space_options else ""
    space = registry.create("space", config.space.name, options, origin=origin)
    check_unchanged(space, header)
    if not any(trial.is_scored for trial in trials):
        raise ConfigError(f"run {str(path)!r} has no scored trial, so none of its networks can be trained")
    # The weights of the search, also if others were fitted to trainings: the same networks are chosen again.
    combination = Combination.of(ranking_setup(header["config"], registry, origin=str(path)).scoring)
    ranked, values = combination.rank(trials)
    return SearchedRun(
        path=path,
        config=header["config"],
        space=space,
        trials=trials,
        combination=combination,
        ranked=ranked,
        values=values,
    )
