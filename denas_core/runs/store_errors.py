"""Errors of SQLite as errors about a store, with a command that helps."""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from denas_core.errors import StorageError, StoreDamaged

_REFUSALS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
}
"""Error codes with which SQLite reports a problem of the file system and not of the file."""


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite about the store at `path` into errors of one line.

    Raises:
        StorageError: the file system refuses.
        StoreDamaged: the file is damaged.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_READONLY_ROLLBACK:
            raise StorageError(
                f"store {str(path)!r} holds half a commit, which a resume takes back: "
                f"denas search --resume {shlex.quote(str(path.parent))}"
            ) from error
        # A file that is too short is damaged, although SQLite reports an input error.
        if code & 0xFF in _REFUSALS and code != sqlite3.SQLITE_IOERR_SHORT_READ:
            raise StorageError(
                f"cannot use store {str(path)!r}: {error}; free space or permissions, then go on with --resume"
            ) from error
        raise damaged(path, str(error)) from error
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, what: str) -> StoreDamaged:
    """Return the error for a damaged store. Its text says how to repair the store."""
    line = " ".join(what.replace("*** in database main ***", "").split())
    return StoreDamaged(
        f"store {str(path)!r} is damaged ({line[:120]}); repair it with: {repair_command(path)}"
    )


def repair_command(path: Path) -> str:
    """Return the command that repairs the run whose store is at `path`."""
    return f"denas repair {shlex.quote(str(path.parent))}"
