"""Removing runs. Only files of a run are removed, and an interrupted removal can be repeated."""

from __future__ import annotations

import contextlib
import dataclasses
import stat
from collections.abc import Sequence
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.system.atomic import LOCK, WORK, storage_errors, sync_directory
from denas_core.system.lock import OWNER, RunLock

from .files import (
    ARCHITECTURES,
    BEST,
    CALIBRATION,
    CONFIG,
    INSIGHT,
    LATENCY_MODEL,
    RACE,
    RACE_RECORD,
    REPAIRED,
    REPORT,
    RESULT,
    STORE,
    is_run,
)

_RACED = f"{RACE}/*-epochs/*"

EVENTS = ("events/**/events.out.tfevents.*", "events/**/hparams.yml", "events/*/", "events")
"""What TensorBoard reads, and the folders of it. With a slash at its end, a pattern finds folders only."""

RACE_PARTS = (
    *(f"{_RACED}/{part}" for part in ("checkpoints/*/*", "checkpoints/*", *EVENTS, "model/*")),
    *(f"{_RACED}/{part}" for part in ("checkpoints", "model", "log.jsonl", "trackers.json", ".*.tmp*")),
    *(f"{_RACED}/{part}" for part in ("settings.json", "result.json", OWNER, LOCK)),
    f"{_RACED}/",
    f"{RACE}/*-epochs/",
    f"{RACE}/settings.json",
    RACE_RECORD.as_posix(),
    f"{RACE}/{OWNER}",
    f"{RACE}/{LOCK}",
    RACE,
)
"""The files of a race in the order in which they are removed."""

TRACKER_PARTS = ("trackers/**/*", "trackers", "trackers.json")
"""What other trackers have written, and the names of their experiments. Their libraries choose the names of files."""

PARTS = (
    "architectures/*.json",
    ARCHITECTURES,
    f"{WORK}/*",
    WORK,
    *RACE_PARTS,
    *EVENTS,
    *TRACKER_PARTS,
    ".*.tmp*",
    REPORT,
    INSIGHT,
    LATENCY_MODEL,
    "confidence.json",
    CALIBRATION,
    BEST,
    RESULT,
    f"{STORE}.damaged-*",
    # Once these are removed, the run cannot be read. CONFIG and LOCK come last, because they mark it as a run.
    f"{REPAIRED}*",
    f"{STORE}-journal",
    f"{STORE}-shm",
    f"{STORE}-wal",
    STORE,
    CONFIG,
    OWNER,
    LOCK,
)
"""The files of a run in the order in which they are removed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Removal:
    """The result of removing a run.

    Attributes:
        path: The run directory.
        kept: Names of other files, which stay in it; empty if the directory was removed.
    """

    path: Path
    kept: tuple[str, ...]


def check_removable(paths: Sequence[Path]) -> None:
    """Check that all paths are run directories, and not links to them.

    Raises:
        ConfigError: a path is not. The text names the first one.
    """
    for path in paths:
        if path.is_symlink():
            raise ConfigError(f"{str(path)!r} is a link; name the run directory that it leads to")
        if not is_run(path):
            raise ConfigError(f"{str(path)!r} is not a run directory; 'denas run ls' lists those there are")
        for name in (LOCK, STORE):
            if (path / name).is_symlink():
                raise ConfigError(
                    f"{str(path / name)!r} is a link, and leads out of the run; remove it first"
                )


def remove_runs(paths: Sequence[Path]) -> list[Removal]:
    """Remove runs. Other files in their directories are kept.

    Raises:
        ConfigError: a path is not a run directory. Nothing is removed.
        RunBusy: another process is working in one of the runs. Nothing is removed.
        StorageError: the file system refuses.
    """
    check_removable(paths)
    with contextlib.ExitStack() as locks:
        for path in paths:
            locks.callback(RunLock(path).release)
            if (path / RACE).is_dir() and not (path / RACE).is_symlink():
                locks.callback(RunLock(path / RACE).release)
        for path in paths:
            for part in PARTS:
                # In this order, what a folder contains comes before the folder.
                for entry in sorted(path.glob(part), reverse=True):
                    if not _is_behind_link(entry, path):
                        _remove(entry, links=part in TRACKER_PARTS)
            with storage_errors(path):
                sync_directory(path)
    return [Removal(path, _remove_directory(path)) for path in paths]


def _remove(entry: Path, *, links: bool) -> None:
    with storage_errors(entry):
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            with contextlib.suppress(OSError):  # the folder contains other files
                entry.rmdir()
        elif stat.S_ISREG(mode) or (links and stat.S_ISLNK(mode)):
            entry.unlink(missing_ok=True)


def _is_behind_link(entry: Path, run: Path) -> bool:
    folders = entry.relative_to(run).parents
    return any((run / folder).is_symlink() for folder in folders if folder != Path())


def _remove_directory(path: Path) -> tuple[str, ...]:
    with storage_errors(path):
        kept = tuple(sorted(entry.name for entry in path.iterdir()))
        if not kept:
            path.rmdir()
            sync_directory(path.parent)
    return kept
