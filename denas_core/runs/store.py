"""The store: the trials of a run in an SQLite file. One process writes it, each trial in one durable transaction."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from denas_core.errors import StoreDamaged
from denas_core.seeding import canonical_json
from denas_core.system.atomic import storage_errors, sync_directory
from denas_core.system.file_system import network_file_system
from denas_core.values.trial import Trial

from .measurements import OF_SEARCH, PREFIX, Measurement, with_measurements
from .rows import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    TABLES,
    TABLES_BY_VERSION,
    Row,
    as_trial,
    component_names,
    component_row,
    is_intact,
    meta_row,
    trial_row,
)
from .store_errors import damaged, repair_command, sqlite_errors


class Store:
    """The trials of one run. `Store.create`, `Store.open` and `Store.read` return one; close it with ``with``."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], *, active_seconds: float = 0.0) -> Store:
        """Make a new store with its header, and the seconds of work so far.

        Raises:
            StorageError: the file system refuses.
        """
        cls.build(path, {"header": canonical_json(header), "active_seconds": repr(active_seconds)})
        return cls.open(path)

    @staticmethod
    def build(
        path: Path, meta: Mapping[str, str], trials: Iterable[Row] = (), components: Iterable[Row] = ()
    ) -> None:
        """Write a complete store. After an interruption, there is either the complete store or none.

        Args:
            path: Path of the store. An existing store is replaced.
            meta: Facts about the run by name, as text.
            trials: Intact rows of trials, see `rows`.
            components: Intact rows of components.

        Raises:
            StorageError: the file system refuses.
        """
        draft = path.with_name(f".{path.name}.tmp")
        with storage_errors(draft):
            for end in ("", "-wal", "-shm", "-journal"):
                draft.with_name(f"{draft.name}{end}").unlink(missing_ok=True)
        # A log is not used: when SQLite copies it into the file at the end, it does not report a full disk.
        with sqlite_errors(path), Store(draft, _connect(draft, journal="DELETE")) as store:
            for pragma in (f"application_id = {APPLICATION_ID}", f"user_version = {SCHEMA_VERSION}"):
                store._connection.execute(f"PRAGMA {pragma}")
            with store._transaction():
                for statement in TABLES.values():
                    store._connection.execute(statement)
                store._insert("meta", (meta_row(*item) for item in meta.items()))
                store._insert("trial", trials)
                store._insert("component", components)
        with storage_errors(path):
            draft.replace(path)
            sync_directory(path.parent)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open an existing store for writing, after a check of the whole file.

        Raises:
            StoreDamaged: the file is not a store, is corrupt, or was written by a newer version.
            StorageError: the file system refuses.
        """
        _check_exists(path)
        with sqlite_errors(path):
            # A log needs one fsync per commit instead of three, but also shared memory, which a network does not have.
            journal = "DELETE" if network_file_system(path) else "WAL"
            return cls(path, _connect(path, journal=journal))._checked(thorough=True)

    @classmethod
    def read(cls, path: Path) -> Store:
        """Open an existing store for reading. Another process may write it at the same time.

        Raises:
            StoreDamaged, StorageError: see `open`.
        """
        _check_exists(path)
        with sqlite_errors(path):
            # Readers of a store with a log write files beside it. If they have no permission to, and there is no log,
            # the store can be opened as one that does not change.
            is_fixed = not os.access(path.parent, os.W_OK) and not _is_in_use(path)
            uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if is_fixed else ''}"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
            return cls(path, connection)._checked(thorough=False)

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def header(self) -> dict[str, Any]:
        """Return the header: the configuration, versions and machine with which the run was started."""
        with sqlite_errors(self.path):
            return dict(json.loads(self._get("header")))

    def set_header(self, header: Mapping[str, Any]) -> None:
        """Replace the header, for example when a resumed run has a larger budget.

        Raises:
            StorageError: see `append`.
        """
        with sqlite_errors(self.path), self._transaction():
            self._set("header", canonical_json(header))

    def active_seconds(self) -> float:
        """Return the seconds of work so far, summed over resumes."""
        with sqlite_errors(self.path):
            return float(self._get("active_seconds"))

    def set_active_seconds(self, seconds: float) -> None:
        """Store the seconds of work so far, for work after the last trial.

        Raises:
            StorageError: see `append`.
        """
        with sqlite_errors(self.path), self._transaction():
            self._set("active_seconds", repr(seconds))

    def append(self, trial: Trial, *, active_seconds: float) -> None:
        """Store a finished trial. When this returns, a power cut cannot lose the trial.

        Raises:
            StorageError: the disk is full or fails. The trial is not stored, and the store stays intact.
        """
        result = trial.evaluation
        with sqlite_errors(self.path), self._transaction():
            self._insert("trial", [trial_row(trial)])
            self._insert_components(trial.index, result.components, result.seconds)
            self._set("active_seconds", repr(active_seconds))

    def add_components(
        self, index: int, components: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        """Store further components of a stored trial.

        Raises:
            StorageError: see `append`.
        """
        with sqlite_errors(self.path), self._transaction():
            self._insert_components(index, components, seconds)

    def add_measurements(
        self, measurements: Iterable[Measurement], *, active_seconds: float | None = None
    ) -> None:
        """Store latencies that were measured after the search. What is stored already is not replaced.

        Raises:
            StorageError: see `append`.
        """
        with sqlite_errors(self.path), self._transaction():
            self._insert("meta", (meta_row(*one.as_row()) for one in measurements))
            if active_seconds is not None:
                self._set("active_seconds", repr(active_seconds))

    def measurements(self) -> dict[str, dict[str, Measurement]]:
        """Return the latencies that were measured after the search, by machine and then by key of the architecture.

        Raises:
            StoreDamaged: a row has changed since it was written.
        """
        found: dict[str, dict[str, Measurement]] = {}
        # The table is read without its index, see `_get`, and in the order in which the rows were written.
        query = "SELECT * FROM meta NOT INDEXED WHERE key GLOB ? ORDER BY rowid"
        with sqlite_errors(self.path):
            for row in self._connection.execute(query, (f"{PREFIX}*",)):
                if not is_intact("meta", row):
                    raise self._damaged(f"measurement {row[0]!r}")
                measurement = Measurement.from_row(row[0], row[1])
                found.setdefault(measurement.machine, {})[measurement.key] = measurement
        return found

    def trials(self) -> list[Trial]:
        """Return every trial, in order. Those that were measured at the end of the search have that latency and state.

        Raises:
            StoreDamaged: a row has changed since it was written, or is missing.
        """
        measured = self.measurements().get(OF_SEARCH, {})
        return with_measurements(self.searched_trials(), measured)

    def searched_trials(self) -> list[Trial]:
        """Return every trial as the search evaluated it, in order.

        Raises:
            StoreDamaged: see `trials`.
        """
        # One transaction for both tables, because another process may store a trial between two statements.
        with sqlite_errors(self.path), self._transaction("DEFERRED"):
            components: dict[int, dict[str, float]] = {}
            for row in self._connection.execute("SELECT * FROM component ORDER BY idx, name"):
                if not is_intact("component", row):
                    raise self._damaged(f"component {row[1]!r} of trial {row[0]}")
                components.setdefault(row[0], {})[row[1]] = row[2]
            trials: list[Trial] = []
            for row in self._connection.execute("SELECT * FROM trial ORDER BY idx"):
                if not is_intact("trial", row):
                    raise self._damaged(f"trial {row[0]}")
                if row[0] != len(trials):
                    raise self._damaged(f"trial {len(trials)} is missing")
                if not component_names(row) <= components.get(row[0], {}).keys():
                    raise self._damaged(f"trial {row[0]} has lost components")
                trials.append(as_trial(row, components.pop(row[0], {})))
            if components:
                raise self._damaged(f"trial {min(components)} is missing")
            return trials

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        for row in rows:
            self._connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def _insert_components(
        self, index: int, components: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        self._insert(
            "component",
            [component_row(index, name, value, seconds.get(name, 0.0)) for name, value in components.items()],
        )

    def _checked(self, *, thorough: bool) -> Store:
        try:
            self._check(thorough=thorough)
        except BaseException:
            self.close()
            raise
        return self

    def _check(self, *, thorough: bool) -> None:
        application = self._connection.execute("PRAGMA application_id").fetchone()[0]
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        tables = self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        found = dict(tables)
        is_ours = found in TABLES_BY_VERSION.values()
        if application != APPLICATION_ID and not is_ours:
            raise StoreDamaged(
                f"{str(self.path)!r} is not the store of a search; if it was one, repair it with: "
                f"{repair_command(self.path)}"
            )
        if application == APPLICATION_ID and version > SCHEMA_VERSION:
            raise StoreDamaged(
                f"{str(self.path)!r} was written by a newer version (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade denas-core"
            )
        if application != APPLICATION_ID or TABLES_BY_VERSION.get(version) != found:
            raise self._damaged("its first page")
        if thorough:
            verdict = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise self._damaged(str(verdict))

    def _damaged(self, what: str) -> StoreDamaged:
        return damaged(self.path, what)

    @contextlib.contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _get(self, key: str) -> str:
        # The table is read directly, because its index may be damaged.
        query = "SELECT * FROM meta NOT INDEXED WHERE key = ?"
        row = self._connection.execute(query, (key,)).fetchone()
        if row is None or not is_intact("meta", row):
            raise self._damaged(key.replace("_", " "))
        return str(row[1])

    def _set(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", meta_row(key, value))


def has_log(path: Path) -> bool:
    """Return whether a store has a log that is not empty."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_in_use(path: Path) -> bool:
    # A reader can leave an empty log. If the file of shared memory exists too, a writer may be using the store.
    return has_log(path) or all(path.with_name(f"{path.name}{end}").exists() for end in ("-wal", "-shm"))


def _connect(path: Path, *, journal: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    # With FULL, a stored trial survives a power cut.
    for pragma in (
        f"journal_mode = {journal}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check_exists(path: Path) -> None:
    with storage_errors(path):
        if path.stat().st_size == 0:
            raise damaged(path, "it is empty")
