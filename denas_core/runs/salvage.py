"""Reading a damaged store page by page. Every row that matches its digest is recovered."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .rows import TABLES, Row, component_names, is_intact

PAGE = 4096
"""Bytes of a page of a store. This is the default of SQLite since 2016, which `Store.build` uses."""

LOGS = ("-wal", "-journal")
"""Endings of the files beside a store in which SQLite keeps commits, or data to undo an interrupted commit."""

# The first byte of a page gives its type. These types contain rows: leaves of a table, leaves and branches of an index.
_LEAF, _INDEX_LEAF, _INDEX_BRANCH = 0x0D, 0x0A, 0x02
_HOLDS = {_LEAF: ("trial", "meta"), _INDEX_LEAF: ("component",), _INDEX_BRANCH: ("component",)}


@dataclasses.dataclass(slots=True)
class Salvage:
    """The intact rows of a store.

    Attributes:
        meta: Facts about the run, by name.
        trials: Rows by index.
        components: Rows by index and name.
    """

    meta: dict[str, str] = dataclasses.field(default_factory=dict)
    trials: dict[int, Row] = dataclasses.field(default_factory=dict)
    components: dict[tuple[int, str], Row] = dataclasses.field(default_factory=dict)

    @property
    def seen(self) -> int:
        """Number of trials that the store had, as far as its intact rows show."""
        return 1 + max((*self.trials, *(index for index, _ in self.components)), default=-1)

    def add(self, table: str, row: Row) -> None:
        """Keep a row if it is intact and new."""
        if not is_intact(table, row):
            return
        if table == "meta":
            self.meta.setdefault(row[0], row[1])
        elif table == "trial":
            self.trials.setdefault(row[0], row)
        else:
            self.components.setdefault((row[0], row[1]), row)

    def prefix(self) -> tuple[list[Row], list[Row]]:
        """Return the rows of the first trials up to the first incomplete trial, and the rows of their components."""
        names: dict[int, set[str]] = {}
        for index, name in self.components:
            names.setdefault(index, set()).add(name)
        trials: list[Row] = []
        while (row := self.trials.get(len(trials))) is not None:
            if not component_names(row) <= names.get(len(trials), set()):
                break
            trials.append(row)
        kept = sorted(key for key in self.components if key[0] < len(trials))
        return trials, [self.components[key] for key in kept]


def salvage(store: Path, blank: Path, work: Path) -> Salvage:
    """Return every intact row of a store, even if SQLite cannot open it.

    The store is read from copies and is not changed. Its first page, which is equal in all stores, is replaced by that
    of an empty store. Then each page in turn replaces the root page of a table, so that SQLite reads only the rows of
    that page and needs no other page to find it. This is done with the log of the store, with either first page, and
    without the log.

    Args:
        store: The file of the store. The file or its log may be missing.
        blank: An empty store of this version.
        work: A directory for copies.
    """
    found = Salvage()
    copy = work / "salvage.db"
    roots = _roots(blank)
    has_log = any(store.with_name(store.name + end).exists() for end in LOGS)
    for with_log, is_given in ((True, False), (True, True), (False, False)) if has_log else ((False, False),):
        _copy(store, copy, with_log=with_log)
        if is_given:
            _give_first_page(copy, blank)
        _fold_log(copy)
        _give_first_page(copy, blank)
        _collect_pages(copy, roots, found)
    return found


def copy_readable(source: Path, target: Path) -> None:
    """Copy a file. Parts that the disk cannot read become zeros."""
    size = source.stat().st_size
    with source.open("rb", buffering=0) as old, target.open("wb") as new:
        for start in range(0, size, PAGE):
            length = min(PAGE, size - start)
            try:
                old.seek(start)
                part = old.read(length) or b""
            except OSError:
                part = b""
            new.write(part.ljust(length, b"\0"))


@contextlib.contextmanager
def as_far_as_readable() -> Iterator[None]:
    """End the body without an error when SQLite cannot read further.

    SQLite quotes a damaged schema in its message: where the message is not text, Python raises an error that is not a
    `sqlite3.Error`.
    """
    with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
        yield


def _copy(store: Path, copy: Path, *, with_log: bool) -> None:
    for end in ("", "-shm", *LOGS):
        copy.with_name(copy.name + end).unlink(missing_ok=True)
    for end in ("", *LOGS) if with_log else ("",):
        part = store.with_name(store.name + end)
        if part.exists():
            shutil.copyfile(part, copy.with_name(copy.name + end))


def _give_first_page(copy: Path, blank: Path) -> None:
    empty = blank.read_bytes()
    with copy.open("a+b") as file:
        # The file must have whole pages. Missing pages at the end are taken from an empty store.
        size = file.seek(0, 2)
        file.write(bytes(-size % PAGE))
        file.write(empty[file.tell() :])
        pages = file.tell() // PAGE
    with copy.open("r+b") as file:
        # Bytes 28 to 31 are the number of pages.
        file.write(empty[:28] + pages.to_bytes(4, "big") + empty[32:PAGE])


def _fold_log(copy: Path) -> None:
    with as_far_as_readable(), contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for end in ("-shm", *LOGS):
        copy.with_name(copy.name + end).unlink(missing_ok=True)


def _collect_pages(copy: Path, roots: dict[str, int], found: Salvage) -> None:
    with copy.open("r+b", buffering=0) as file:
        for number in range(1, copy.stat().st_size // PAGE):
            file.seek(number * PAGE)
            page = file.read(PAGE)
            for table in _HOLDS.get(page[0], ()):
                file.seek((roots[table] - 1) * PAGE)
                root = file.read(PAGE)
                file.seek(-PAGE, 1)
                file.write(page)
                with as_far_as_readable(), contextlib.closing(_connect(copy)) as connection:
                    for row in connection.execute(f"SELECT * FROM {table} NOT INDEXED"):
                        found.add(table, row)
                file.seek((roots[table] - 1) * PAGE)
                file.write(root)


def _roots(blank: Path) -> dict[str, int]:
    with contextlib.closing(_connect(blank)) as connection:
        found: Sequence[Any] = connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall()
    return {name: page for name, page in found if name in TABLES}


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    # Text that cannot be decoded does not match its digest, so only its row is lost.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection
