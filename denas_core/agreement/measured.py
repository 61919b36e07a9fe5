"""Stored values of networks for one seed. A kill of the process does not damage them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.runs.store import Store
from denas_core.setup.config import differences
from denas_core.system.atomic import storage_errors
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial


@dataclasses.dataclass(slots=True)
class Measured:
    """The stored values of one network for one seed.

    Attributes:
        values: Values by column.
        failures: Reasons of failures, by column.
        seconds: Wall-clock seconds by column.
        metrics: Parameters and FLOPs, if they could be counted.
    """

    values: dict[str, float] = dataclasses.field(default_factory=dict)
    failures: dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)

    def add(self, evaluation: Evaluation) -> None:
        """Add the results of an evaluation, whose reason has one line for each column that failed."""
        self.values |= evaluation.components
        self.seconds |= evaluation.seconds
        self.metrics |= evaluation.metrics
        for line in evaluation.reason.splitlines():
            column, _, reason = line.partition(": ")
            self.failures[column] = reason

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that are not measured yet."""
        return [name for name in columns if name not in self.values and name not in self.failures]


class MeasuredNetworks:
    """The measured networks of one seed, in ``seed-0.db``, and later values in ``seed-0-2.db`` and so on.

    A store can hold a network only once. Later values of a network are added to the first store without it.

    Attributes:
        found: The stored values, by key of the architecture.
    """

    def __init__(self, directory: Path, seed: int, header: Mapping[str, Any]) -> None:
        """Read the stores in `directory`.

        Raises:
            ConfigError: they were made with other settings than those in `header`.
            StoreDamaged, StorageError: they cannot be read.
        """
        self.found: dict[str, Measured] = {}
        self._directory = directory
        self._seed = seed
        self._header = dict(header)
        self._stores: list[tuple[Store, set[str]]] = []
        with storage_errors(directory):
            paths = sorted(filter(self._belongs_to_seed, directory.glob(f"seed-{seed}*.db")))
        for path in paths:
            self._read(path)

    def of(self, arch: Architecture) -> Measured:
        """Return the values of a network."""
        return self.found.setdefault(arch.key, Measured())

    def add(self, arch: Architecture, evaluation: Evaluation) -> None:
        """Store an evaluation. After the return of this call, even a power cut does not lose it.

        Raises:
            StorageError: the file system refuses.
        """
        store, keys = next((one for one in self._stores if arch.key not in one[1]), None) or self._new()
        trial = Trial(index=len(keys), generation=0, arch=arch, evaluation=evaluation)
        store.append(trial, active_seconds=0.0)
        keys.add(arch.key)
        self.of(arch).add(evaluation)

    def close(self) -> None:
        """Close the stores."""
        for store, _ in self._stores:
            store.close()

    def _read(self, path: Path) -> None:
        try:
            store = Store.open(path)
            self._stores.append((store, set()))
            changed = self._differences(store.header())
            trials = [] if changed else store.trials()
        except StoreDamaged as error:
            raise StoreDamaged(
                f"{str(path)!r} is damaged; remove it, then the same command scores its networks again"
            ) from error
        if changed:
            raise ConfigError(
                f"{str(self._directory)!r} holds scores from other settings: {'; '.join(changed)}; name another "
                "directory with --out"
            )
        for trial in trials:
            self._stores[-1][1].add(trial.arch.key)
            self.of(trial.arch).add(trial.evaluation)

    def _differences(self, stored: Mapping[str, Any]) -> list[str]:
        # Stored values do not depend on a plugin that was not used before.
        common = stored["distributions"].keys() & self._header["distributions"].keys()
        before, now = (
            {**one, "distributions": {name: one["distributions"][name] for name in common}}
            for one in (stored, self._header)
        )
        return differences(before, now)

    def _new(self) -> tuple[Store, set[str]]:
        # A user may have removed a damaged store, so the number of stores need not be a free number.
        path = next(path for path in map(self._path, itertools.count(1)) if not path.exists())
        self._stores.append((Store.create(path, self._header), set()))
        return self._stores[-1]

    def _path(self, number: int) -> Path:
        return self._directory / (
            f"seed-{self._seed}.db" if number == 1 else f"seed-{self._seed}-{number}.db"
        )

    def _belongs_to_seed(self, path: Path) -> bool:
        return path.stem == f"seed-{self._seed}" or path.stem.startswith(f"seed-{self._seed}-")
