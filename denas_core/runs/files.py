"""The names of the files in a run directory, and what tells a run from another directory."""

from __future__ import annotations

import shlex
from pathlib import Path

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.system.atomic import LOCK

from .path_length import check_path_length
from .rows import APPLICATION_ID
from .store import Store

STORE = "study.db"
"""The trials, in SQLite."""

REPAIRED = f"{STORE}.repaired"
"""The new store of a repair, until it has taken the place of the damaged one."""

CONFIG = "config.yaml"
"""The configuration of the run, with every option written out."""

RESULT = "result.json"
"""The ranked trials and the Pareto front."""

BEST = "best.json"
"""The best architecture."""

ARCHITECTURES = "architectures"
"""A folder with one architecture file a finalist."""

INSIGHT = "insight.json"
"""What a later report needs of the objects of the search."""

REPORT = "report.html"
"""The report."""

TRAINING = "training"
"""A folder with the training of the best architecture."""

MODEL = Path(TRAINING) / "model"
"""A folder with the model that a training leaves."""


def read_run(path: Path) -> Store:
    """Open the store of a run for reading.

    Raises:
        ConfigError, StoreDamaged, StorageError: there is no run, or it cannot be read.
    """
    check_is_run(path)
    return Store.read(path / STORE)


def check_is_run(path: Path) -> None:
    """Refuse a directory that holds no run.

    Raises:
        ConfigError: there is none, it never began, or its path is too long.
        StoreDamaged: its store is gone.
    """
    repair = f"denas repair {shlex.quote(str(path))}"
    if (path / REPAIRED).is_file():
        raise StoreDamaged(f"a repair of run {str(path)!r} was cut off; finish it with: {repair}")
    if (path / STORE).is_file():
        check_path_length(path)
        return
    if (path / f"{STORE}-wal").is_file():
        raise StoreDamaged(f"run {str(path)!r} has lost its {STORE}; save what its log holds with: {repair}")
    if (path / RESULT).is_file():
        raise StoreDamaged(f"run {str(path)!r} has lost its {STORE}; put it back, or start a new run")
    if (path / CONFIG).is_file() and (path / LOCK).is_file():
        raise ConfigError(
            f"run {str(path)!r} was stopped before its first trial; start it again with --out {shlex.quote(str(path))}"
        )
    raise ConfigError(f"{str(path)!r} is not a run directory; 'denas search' makes one")


def is_run(path: Path) -> bool:
    """Tell whether a directory is one that a search made, whole or not."""
    if not path.is_dir():
        return False
    stores = (STORE, REPAIRED, f"{STORE}-wal")
    begun = (path / LOCK).is_file() and (path / CONFIG).is_file()
    return begun or any(_is_ours(path / name) for name in stores)


def _is_ours(store: Path) -> bool:
    if store.name.endswith("-wal"):
        # A log alone does not say whose it is: the directory must look like a run besides.
        return store.is_file() and (store.parent / CONFIG).is_file()
    try:
        with store.open("rb") as file:
            head = file.read(72)
    except OSError:
        return False
    return len(head) == 72 and int.from_bytes(head[68:], "big") == APPLICATION_ID
