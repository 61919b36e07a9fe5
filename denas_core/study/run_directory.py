"""The run directory: the files of one search, from its start to its result."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.runs.files import CONFIG, LATENCY_MODEL, STORE, check_is_run
from denas_core.runs.path_length import check_path_length
from denas_core.runs.store import Store
from denas_core.setup.config import MAY_CHANGE_ON_RESUME, differences, make_config
from denas_core.setup.data import check_same_data
from denas_core.setup.prediction import KeptModel
from denas_core.setup.setup import Setup
from denas_core.setup.stored import stored_document, with_new_options
from denas_core.system.atomic import (
    LOCK,
    remove_leftovers,
    storage_errors,
    sync_directory,
    write_atomically,
    write_json,
)
from denas_core.system.file_system import network_file_system
from denas_core.system.lock import OWNER, RunLock
from denas_core.system.machine import environment, installed_version, moment

HEADER_SCHEMA = "denas.run/1"


class RunDirectory:
    """An open run. This process holds its lock and can write its store.

    Attributes:
        path: The directory.
        store: The store with the trials.
    """

    def __init__(self, path: Path, lock: RunLock, store: Store) -> None:
        self.path = path
        self.store = store
        self._lock = lock

    @classmethod
    def create(
        cls,
        setup: Setup,
        registry: Registry,
        *,
        out: str | None = None,
        model: KeptModel | None = None,
        spent: float = 0.0,
    ) -> RunDirectory:
        """Make the directory of a new run.

        Args:
            setup: The objects of the search. Its latency bounds must be resolved.
            registry: The installed plugins, whose versions are stored.
            out: The directory; by default the next free ``runs/<space>-<n>``.
            model: The latency model of the search, which the run keeps.
            spent: Seconds of the budget that are spent already.

        Raises:
            ConfigError: the directory exists and is not empty.
            RunBusy, StorageError: the directory cannot be used.
        """
        # This is checked before anything is made. The zeros stand for the number in the name of the new run.
        check_path_length(Path("runs") / f"{setup.space.id}-0000" if out is None else Path(out))
        path = _made(setup.space.id, out)
        lock = RunLock(path)
        try:
            remove_leftovers(path)
            if not _is_unbegun(path):
                raise ConfigError(f"another process has just used {str(path)!r}; name another directory")
            if kind := network_file_system(path):
                setup.notices.append(
                    f"{str(path)!r} lies on a network file system ({kind}): commits are slower there, and its locks "
                    "are trusted; a local disk is safer"
                )
            write_atomically(path / CONFIG, setup.config.as_yaml())
            if model is not None:
                # The store comes last: if there is one, the run has everything that a resume needs.
                write_json(path / LATENCY_MODEL, model.as_dict())
            facts = {**header(setup, registry), "started": moment()}
            return cls(path, lock, Store.create(path / STORE, facts, active_seconds=spent))
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Open an existing run for writing.

        Raises:
            ConfigError: there is no run.
            RunBusy, StoreDamaged, StorageError: the run cannot be used.
        """
        check_is_run(path)
        lock = RunLock(path)
        try:
            remove_leftovers(path)
            return cls(path, lock, Store.open(path / STORE))
        except BaseException:
            lock.release()
            raise

    def go_on_with(self, stored: dict[str, Any], setup: Setup) -> None:
        """Store the configuration of a resumed run, so that the next resume needs no options."""
        # A repaired header may have lost the measured latency; it is then measured again.
        setup.resolve_latency_bounds(stored.get("references"))
        now = {**stored, "config": setup.config.as_dict(), **_references(setup)}
        if now != stored:
            self.store.set_header(now)
        write_atomically(self.path / CONFIG, setup.config.as_yaml())

    def close(self) -> None:
        """Close the store and release the lock of the directory."""
        self.store.close()
        self._lock.release()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def header(setup: Setup, registry: Registry) -> dict[str, Any]:
    """Return what must not change until a run is resumed, as JSON can represent it."""
    used = {
        getattr(setup.config, kind).name.partition("/")[0] for kind in ("space", "score", "strategy", "probe")
    }
    plugins = {p.distribution: p.version for p in registry.plugins if p.name in used and p.status == "ok"}
    return {
        "schema": HEADER_SCHEMA,
        "config": setup.config.as_dict(),
        "fingerprint": setup.space.fingerprint(),
        "distributions": {"denas-core": installed_version("denas-core"), **plugins},
        "environment": environment(setup.device),
        **({} if setup.data is None else {"data": setup.data.as_dict()}),
        **_references(setup),
    }


def _references(setup: Setup) -> dict[str, Any]:
    return {"references": dict(setup.full_latency)} if setup.full_latency else {}


def check_options(stored: dict[str, Any], setup: Setup, *, path: Path) -> None:
    """Check that a resumed run has the options with which it started.

    An option that did not exist when the run started counts as its default.

    Raises:
        ConfigError: an option other than the budget and the executor has changed. The text lists all changes.
    """
    # Data may have moved. Whether they are the same is checked by their content, see `check_same_data`.
    before = make_config(stored_document(stored["config"]), origin=str(path)).as_dict()
    now = setup.config.as_dict()
    for kind, component in setup.components.items():
        is_same = kind not in MAY_CHANGE_ON_RESUME and before[kind]["name"] == component.id
        if is_same and now[kind].keys() - before[kind].keys():
            before[kind] = with_new_options(before[kind], type(component))
    changed = [
        line
        for line in differences(before, now)
        if not line.startswith(
            (*(f"{key}{end}" for key in MAY_CHANGE_ON_RESUME for end in ".:"), "data.path:")
        )
    ]
    if changed:
        raise ConfigError(
            f"run {str(path)!r} cannot go on with {'; '.join(changed)}: only budget and executor may change; "
            "start a new run instead"
        )


def check_installation(stored: dict[str, Any], setup: Setup, registry: Registry, *, path: Path) -> list[str]:
    """Check that a resumed run uses the software with which it started, and return notices about harmless changes.

    Raises:
        ConfigError: a version of a distribution or of torch has changed, or the content of a file that options name.
    """
    check_same_data(setup.data, stored.get("data"), path=path)
    now = header(setup, registry)
    machine = ("machine", "processor")
    # The changed executor may need another plugin. The plugins that were there before must be unchanged.
    kept = {
        name: version for name, version in now["distributions"].items() if name in stored["distributions"]
    }
    changed = differences(stored["distributions"], kept)
    changed += differences({"fingerprint": stored["fingerprint"]}, {"fingerprint": now["fingerprint"]})
    here = {name: text for name, text in now["environment"].items() if name not in machine}
    there = {name: text for name, text in stored["environment"].items() if name not in machine}
    changed += differences(there, here)
    if changed:
        raise ConfigError(
            f"run {str(path)!r} was made with something else: {'; '.join(changed)}; install what it had, or start anew"
        )
    if any(stored["environment"].get(name) != now["environment"].get(name) for name in machine):
        return ["this is another processor than the run began on: scores may differ in their last bits"]
    return []


def check_is_free(out: str) -> None:
    """Check that a new run can use a directory.

    Raises:
        ConfigError: the path is a file, or the directory is not empty.
        StorageError: the directory cannot be read.
    """
    path = Path(out)
    with storage_errors(path):
        if path.exists() and not path.is_dir():
            raise ConfigError(f"out {out!r} is a file; name a directory")
        if path.is_dir() and not _is_unbegun(path):
            raise ConfigError(
                f"out {out!r} exists and is not empty; name another, or go on with: "
                f"denas search --resume {shlex.quote(out)}"
            )


def _made(space: str, out: str | None) -> Path:
    if out is not None:
        check_is_free(out)
        path = Path(out)
        with storage_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        return path
    stem = re.sub(r"[^a-z0-9]+", "-", space.lower()).strip("-") or "run"
    parent = Path("runs")
    with storage_errors(parent):
        parent.mkdir(exist_ok=True)
        number = 1
        while True:
            path = parent / f"{stem}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            sync_directory(parent)
            return path


def _is_unbegun(path: Path) -> bool:
    """Return whether a directory is empty, or has only the files that a run writes before its store."""
    names = {entry.name for entry in path.iterdir()}
    own = {name for name in names if name in (LOCK, OWNER, CONFIG, LATENCY_MODEL) or _is_temporary(name)}
    return not names or (names == own and LOCK in names)


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and ".tmp" in name
