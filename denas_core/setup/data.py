"""The user's data of a run: their task, their size, and whether they are those that the run began with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.score import ProxyScore
from denas_core.contracts.scoring_data import ScoringData
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry

from .config import DataConfig
from .tasks import choose_task


def choose_data(registry: Registry, space: SearchSpace, config: DataConfig) -> ScoringData:
    """Return the data of a configuration. They are not read yet.

    Raises:
        ConfigError: the task does not suit the space, or none or several do.
    """
    path = Path(config.path).expanduser().absolute()
    return ScoringData(
        space, choose_task(registry, space, config.task.name, config.task.options, data=path), path
    )


def open_data(space: SearchSpace, path: Path, *, task: str | None = None) -> ScoringData:
    """Return a data set that an installed task reads, to draw batches for networks of `space` from.

    Args:
        space: The space.
        path: The data set.
        task: Name of the task; by default the one that recognises the data.

    Raises:
        ConfigError: the task does not suit the space, none or several do, or the data are missing, damaged or empty.
    """
    path = path.expanduser().absolute()
    data = ScoringData(space, choose_task(Registry.discover(), space, task, {}, data=path), path)
    data.open()
    return data


def check_batches(data: ScoringData, components: Iterable[ProxyScore]) -> None:
    """Read the data, and check that they hold enough samples for every batch of some scores.

    Raises:
        ConfigError: the data are missing, damaged or too few.
    """
    data.open()
    for score in components:
        with plugin_errors(f"score {score.id!r}: passes()"):
            passes = list(score.passes())
        for spec in passes:
            if spec.inputs == "noise":
                data.check_size(spec.size)


def check_same_data(data: ScoringData | None, stored: Mapping[str, Any] | None, *, path: Path) -> None:
    """Check that a run is scored on the data with which it began.

    Args:
        data: The data now.
        stored: What the header of the run has recorded of its data.
        path: The run.

    Raises:
        ConfigError: they cannot be read, or others are there.
    """
    if data is None or stored is None:
        return
    now = data.as_dict()
    if now != dict(stored):
        raise ConfigError(
            f"run {str(path)!r} was scored on other data: {str(data.path)!r} has changed since "
            f"({stored.get('samples')} samples then, {now['samples']} now); restore the data, or start a new run"
        )
