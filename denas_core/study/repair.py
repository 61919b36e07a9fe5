"""Repair of a run: the intact first trials of a damaged store become a new store, and the damaged store is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.registry.registry import Registry
from denas_core.runs.files import CONFIG, REPAIRED, STORE, check_is_run
from denas_core.runs.rows import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    TABLES_BY_VERSION,
    Row,
    as_trials,
    trial_seconds,
)
from denas_core.runs.salvage import LOGS, Salvage, as_far_as_readable, copy_readable, salvage
from denas_core.runs.store import Store, has_log
from denas_core.seeding import canonical_json
from denas_core.setup.config import make_config, read_document
from denas_core.setup.prediction import restore_predictions
from denas_core.setup.setup import Setup
from denas_core.setup.stored import stored_document
from denas_core.system.atomic import WORK, remove_leftovers, storage_errors, sync_directory
from denas_core.system.lock import RunLock
from denas_core.values.trial import Trial

from .generation_sizes import GenerationSizes
from .run_directory import header

_PARTS = ("", "-wal", "-shm", "-journal")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """The result of a repair.

    Attributes:
        kept: Number of trials in the repaired store.
        dropped: Number of trials that were lost. A resumed search evaluates them again.
        damaged: Names of the damaged files, which are kept; empty if nothing was damaged.
        notices: What else was lost, and how it was replaced.
    """

    kept: int
    dropped: int = 0
    damaged: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def repair_run(path: Path, registry: Registry) -> Repair:
    """Replace a damaged store by an intact one.

    A search is deterministic. If the last trials are lost, a resumed search therefore ends with the same table of
    trials. After a kill during the repair, the run has the damaged store or the new one, or the next command says that
    the repair must be repeated.

    Args:
        path: The run directory.
        registry: The installed plugins, which are needed if the header of the run is lost.

    Raises:
        ConfigError: there is no run.
        StoreDamaged: nothing can be saved, or a newer version wrote the store.
        RunBusy, StorageError: the directory cannot be used.
    """
    if not any((path / name).exists() for name in (STORE, f"{STORE}-wal", REPAIRED)):
        check_is_run(path)
    lock = RunLock(path)
    work = path / WORK
    try:
        with storage_errors(path):
            remove_leftovers(path)
            work.mkdir()
            return _finished(path, work) or _repaired(path, work, registry)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.release()


def _finished(path: Path, work: Path) -> Repair | None:
    """Finish an interrupted repair, if there is one and its new store is intact."""
    if not (path / REPAIRED).exists():
        return None
    copy_readable(path / REPAIRED, work / REPAIRED)
    kept = _count_if_whole(work / REPAIRED)
    if kept is None:
        return None
    notices = ("a repair was cut off, and is finished",)
    return Repair(kept=kept, damaged=_swap(path, is_cut_off=True), notices=notices)


def _repaired(path: Path, work: Path, registry: Registry) -> Repair:
    aside = _put_aside(path)
    # Everything is read from copies, because SQLite would write the log or an interrupted commit into the damaged file.
    copies = [part for part in ("", *LOGS) if (path / f"{STORE}{part}").exists()]
    for part in copies:
        copy_readable(path / f"{STORE}{part}", work / f"{STORE}{part}")
    if "" in copies and (whole := _count_if_whole(work / STORE)) is not None:
        return Repair(kept=whole, damaged=aside)
    for part in copies:
        copy_readable(path / f"{STORE}{part}", work / f"{STORE}{part}")
    blank = work / "blank.db"
    Store.build(blank, {})
    found = salvage(work / STORE, blank, work)
    if "header" not in found.meta and not found.seen:
        raise StoreDamaged(
            f"nothing can be saved from {str(path / STORE)!r}: neither its header nor any trial is whole; start a new "
            f"run in another directory{_with_its_configuration(path)}"
        )
    trials, components = found.prefix()
    meta, notices = _restored_meta(path, found, trials, components, registry)
    Store.build(path / REPAIRED, meta, trials, components)
    dropped = found.seen - len(trials)
    damaged = aside + _swap(path, is_cut_off=False)
    return Repair(kept=len(trials), dropped=dropped, damaged=damaged, notices=notices)


def _put_aside(path: Path) -> tuple[str, ...]:
    """Rename a damaged new store of an interrupted repair, if the store that it was made from still exists."""
    if not (path / REPAIRED).exists():
        return ()
    last = _last_number(path, STORE)
    if last and not (path / STORE).exists() and not has_log(path / STORE):
        kept = f"{STORE}.damaged-{last}"
        raise StoreDamaged(
            f"a repair of run {str(path)!r} was cut off, and its {REPAIRED} is damaged too; remove that, rename {kept} "
            f"to {STORE} (and {kept}-wal to {STORE}-wal), then repair again"
        )
    name = f"{REPAIRED}.damaged-{_last_number(path, REPAIRED) + 1}"
    (path / REPAIRED).rename(path / name)
    sync_directory(path)
    return (name,)


def _with_its_configuration(path: Path) -> str:
    configuration = path / CONFIG
    return f" with --config {shlex.quote(str(configuration))}" if configuration.is_file() else ""


def _restored_meta(
    path: Path, found: Salvage, trials: list[Row], components: list[Row], registry: Registry
) -> tuple[dict[str, str], tuple[str, ...]]:
    notices = []
    meta = dict(found.meta)
    if "header" not in meta:
        meta["header"] = canonical_json(_header_anew(path, as_trials(trials, components), registry))
        notices.append(
            "the header is lost: it is made anew from config.yaml and the plugins installed now; if the run began with "
            "other versions, its trials are theirs"
        )
    if "active_seconds" not in meta:
        meta["active_seconds"] = repr(sum(trial_seconds(row) for row in trials))
        notices.append("the seconds worked are lost: those of the kept trials take their place")
    return meta, tuple(notices)


def _header_anew(path: Path, trials: Sequence[Trial], registry: Registry) -> dict[str, object]:
    try:
        document, text = read_document(str(path / CONFIG))
        config = make_config(stored_document(document), origin=str(path / CONFIG), text=text)
        setup = Setup.from_config(config, registry)
        restore_predictions(setup, path)
        sizes = GenerationSizes.recover(setup, trials)
        return {**header(setup, registry), **(sizes.as_dict() if sizes else {})}
    except ConfigError as error:
        raise StoreDamaged(
            f"the header of {str(path / STORE)!r} is lost and cannot be made anew: {error}; fix config.yaml first"
        ) from error


def _count_if_whole(store: Path) -> int | None:
    try:
        opened = Store.open(store)
    except StoreDamaged:
        _refuse_newer(store)
        return None
    with opened, contextlib.suppress(StoreDamaged):
        count = len(opened.trials())
        json.dumps([opened.header(), opened.active_seconds()])
        return count
    return None


def _refuse_newer(store: Path) -> None:
    with as_far_as_readable(), contextlib.closing(sqlite3.connect(store)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        is_known = dict(tables) in TABLES_BY_VERSION.values()
        if application == APPLICATION_ID and version > SCHEMA_VERSION and not is_known:
            raise StoreDamaged(
                f"the store was written by a newer version (schema {version}); upgrade denas-core to repair it"
            )


def _swap(path: Path, *, is_cut_off: bool) -> tuple[str, ...]:
    """Rename the damaged files and move the new store into their place."""
    present = [part for part in _PARTS if (path / f"{STORE}{part}").exists()]
    last = _last_number(path, STORE)
    taken = (path / f"{STORE}.damaged-{last}{part}" for part in ("", *present))
    # Files that an interrupted repair has renamed keep their number. Other numbers belong to earlier repairs.
    number = last if is_cut_off and last and not any(file.exists() for file in taken) else last + 1
    # The log is moved first, because SQLite would apply the log of another store to the new one.
    for part in reversed(present):
        (path / f"{STORE}{part}").rename(path / f"{STORE}.damaged-{number}{part}")
    sync_directory(path)
    (path / REPAIRED).rename(path / STORE)
    sync_directory(path)
    return tuple(f"{STORE}.damaged-{number}{part}" for part in present)


def _last_number(path: Path, name: str) -> int:
    """Return the largest number in the names of kept damaged files; 0 if there are none."""
    matches = (re.match(rf"{re.escape(name)}\.damaged-(\d+)", file.name) for file in path.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)
