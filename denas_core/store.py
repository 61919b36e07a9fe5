"""The store: a run's trials in SQLite, written by one process, each in one durable transaction."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .architecture import Architecture
from .atomic import storage_errors, sync_directory
from .errors import StorageError, StoreDamaged
from .seeding import canonical_json, digest
from .trial import Evaluation, Trial

APPLICATION_ID = 0x44454E41
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE trial (
    idx INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    arch TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scored', 'infeasible', 'failed')),
    reason TEXT NOT NULL CHECK ((state = 'scored') = (reason = '')),
    components TEXT NOT NULL,
    metrics TEXT NOT NULL,
    violation REAL NOT NULL CHECK (violation BETWEEN 0 AND 1e308),
    latency TEXT,
    seconds TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE component (
    idx INTEGER NOT NULL REFERENCES trial (idx),
    name TEXT NOT NULL,
    value REAL NOT NULL CHECK (value BETWEEN -1e308 AND 1e308),
    seconds REAL NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (idx, name)
) STRICT, WITHOUT ROWID;
"""


class Store:
    """The trials of one run; open it with `Store.create`, `Store.open` or `Store.read`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any]) -> Store:
        """Make a new store with its header.

        Raises:
            StorageError: the file system refuses.
        """
        # Made under another name and then renamed: a store that is there is whole.
        draft = path.with_name(f".{path.name}.tmp")
        with storage_errors(draft):
            for leftover in (
                draft,
                *(draft.with_name(f"{draft.name}{end}") for end in ("-wal", "-shm", "-journal")),
            ):
                leftover.unlink(missing_ok=True)
        with _sqlite_errors(path):
            store = cls(draft, _connect(draft))
            store._connection.executescript(
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; {_SCHEMA}"
            )
            with store._transaction():
                store._set("header", canonical_json(header))
                store._set("active_seconds", "0.0")
            store.close()
        with storage_errors(path):
            draft.replace(path)
            sync_directory(path.parent)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open an existing store for writing, after a check of the whole file.

        Raises:
            StoreDamaged: it is no store, is corrupt, or newer than this version.
            StorageError: the file system refuses.
        """
        _check_exists(path)
        with _sqlite_errors(path):
            return cls(path, _connect(path))._checked(thorough=True)

    @classmethod
    def read(cls, path: Path) -> Store:
        """Open an existing store for reading, beside a process that writes it.

        Raises:
            StoreDamaged, StorageError: as `open`.
        """
        _check_exists(path)
        with _sqlite_errors(path):
            # Readers of a write-ahead log write beside it; where they may not, a store without one is fixed anyway.
            is_fixed = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
            uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if is_fixed else ''}"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
            return cls(path, connection)._checked(thorough=False)

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def header(self) -> dict[str, Any]:
        """Return what the run was started with."""
        with _sqlite_errors(self.path):
            return dict(json.loads(self._get("header")))

    def set_header(self, header: Mapping[str, Any]) -> None:
        """Replace what the run goes on with: a resume may raise its budget.

        Raises:
            StorageError: as `append`.
        """
        with _sqlite_errors(self.path), self._transaction():
            self._set("header", canonical_json(header))

    def active_seconds(self) -> float:
        """Return the seconds of work so far, summed over resumes."""
        with _sqlite_errors(self.path):
            return float(self._get("active_seconds"))

    def append(self, trial: Trial, *, active_seconds: float) -> None:
        """Commit a finished trial; when this returns, a power cut does not lose it.

        Raises:
            StorageError: the disk is full or fails; nothing is written, and the store stays whole.
        """
        result = trial.evaluation
        row = {
            "idx": trial.index,
            "generation": trial.generation,
            "key": trial.arch.key,
            "arch": canonical_json([trial.arch.space, list(trial.arch.as_dict().items())]),
            "state": result.state,
            "reason": result.reason,
            "components": canonical_json(list(result.components)),
            "metrics": canonical_json(list(result.metrics.items())),
            "violation": float(result.violation),
            "latency": None if result.latency is None else canonical_json(dict(result.latency)),
            "seconds": canonical_json(list(result.seconds.items())),
        }
        with _sqlite_errors(self.path), self._transaction():
            self._connection.execute(
                f"INSERT INTO trial VALUES ({', '.join('?' * (len(row) + 1))})",
                (*row.values(), digest(row, size=8)),
            )
            self._insert_components(trial.index, result.components, result.seconds)
            self._set("active_seconds", repr(active_seconds))

    def add_components(
        self, index: int, components: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        """Commit further components of a trial that is there already.

        Raises:
            StorageError: as `append`.
        """
        with _sqlite_errors(self.path), self._transaction():
            self._insert_components(index, components, seconds)

    def trials(self) -> list[Trial]:
        """Return every trial, in order.

        Raises:
            StoreDamaged: a row does not match its digest.
        """
        # One read transaction: a writer may commit between two statements.
        with _sqlite_errors(self.path), self._transaction("DEFERRED"):
            components: dict[int, dict[str, float]] = {}
            for index, name, value, seconds, check in self._connection.execute(
                "SELECT idx, name, value, seconds, digest FROM component ORDER BY idx, name"
            ):
                if digest([index, name, value, seconds], size=8) != check:
                    raise self._damaged(f"component {name!r} of trial {index}")
                components.setdefault(index, {})[name] = value
            cursor = self._connection.execute("SELECT * FROM trial ORDER BY idx")
            names = [column[0] for column in cursor.description]
            return [self._trial(dict(zip(names, row, strict=True)), components) for row in cursor]

    def _trial(self, row: dict[str, Any], components: Mapping[int, Mapping[str, float]]) -> Trial:
        check = row.pop("digest")
        if digest(row, size=8) != check:
            raise self._damaged(f"trial {row['idx']}")
        if not set(json.loads(row["components"])) <= set(components.get(row["idx"], {})):
            raise self._damaged(f"trial {row['idx']} has lost components")
        space, values = json.loads(row["arch"])
        return Trial(
            index=row["idx"],
            generation=row["generation"],
            arch=Architecture(space, dict(values), row["key"]),
            evaluation=Evaluation(
                state=row["state"],
                reason=row["reason"],
                components=components.get(row["idx"], {}),
                metrics=dict(json.loads(row["metrics"])),
                violation=row["violation"],
                latency=None if row["latency"] is None else json.loads(row["latency"]),
                seconds=dict(json.loads(row["seconds"])),
            ),
        )

    def _insert_components(
        self, index: int, components: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        for name, value in components.items():
            # SQLite keeps no negative zero; adding zero makes it positive, as the digest must see it.
            row = [index, name, float(value) + 0.0, float(seconds.get(name, 0.0))]
            self._connection.execute(
                "INSERT INTO component VALUES (?, ?, ?, ?, ?)", (*row, digest(row, size=8))
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
        if application != APPLICATION_ID:
            raise StoreDamaged(f"{str(self.path)!r} is not the store of a search")
        if version > SCHEMA_VERSION:
            raise StoreDamaged(
                f"{str(self.path)!r} was written by a newer version (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade denas-core"
            )
        if thorough:
            verdict = self._connection.execute("PRAGMA quick_check").fetchone()[0]
            if verdict != "ok":
                raise self._damaged(str(verdict))

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(
            f"store {str(self.path)!r} is damaged ({what[:120]}); restore the run from a copy"
        )

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
        row = self._connection.execute("SELECT value, digest FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None or digest([key, row[0]], size=8) != row[1]:
            raise self._damaged(key.replace("_", " "))
        return str(row[0])

    def _set(self, key: str, value: str) -> None:
        row = (key, value, digest([key, value], size=8))
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", row)


def comparable(trials: Iterable[Trial]) -> list[list[Any]]:
    """Return the part of a table of trials that the same search always repeats: all but seconds and latencies."""
    rows = []
    for trial in trials:
        result = trial.evaluation
        metrics = {name: value for name, value in result.metrics.items() if name not in ("latency_ms", "rtf")}
        rows.append(
            [
                trial.index,
                trial.generation,
                trial.arch.key,
                trial.arch.as_dict(),
                result.state,
                result.reason,
                {name: value.hex() for name, value in sorted(result.components.items())},
                metrics,
            ]
        )
    return rows


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    # WAL with FULL: one fsync a commit, and a committed trial survives a power cut.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check_exists(path: Path) -> None:
    with storage_errors(path):
        if path.stat().st_size == 0:
            raise StoreDamaged(f"store {str(path)!r} is empty; restore the run from a copy")


@contextlib.contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if any(word in text for word in ("full", "I/O", "readonly", "unable to open", "locked")):
            raise StorageError(
                f"cannot use store {str(path)!r}: {text}; free space or permissions, then go on with --resume"
            ) from error
        raise StoreDamaged(f"store {str(path)!r} is damaged: {text}; restore the run from a copy") from error
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"store {str(path)!r} is damaged: {error}; restore the run from a copy") from error
