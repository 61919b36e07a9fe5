"""Errors of SQLite as errors about a store: what happened to it, and the command that goes on."""

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
"""What SQLite reports when the file system, not the file, is at fault."""


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the store at `path` into one line.

    Raises:
        StorageError: The file system refuses.
        StoreDamaged: The file is not what was written.
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
        # A file shorter than it says is damaged, though SQLite calls it an error of input.
        if code & 0xFF in _REFUSALS and code != sqlite3.SQLITE_IOERR_SHORT_READ:
            raise StorageError(
                f"cannot use store {str(path)!r}: {error}; free space or permissions, then go on with --resume"
            ) from error
        raise damaged(path, str(error)) from error
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, what: str) -> StoreDamaged:
    """Return the error about a store, which says how to repair it."""
    line = " ".join(what.replace("*** in database main ***", "").split())
    return StoreDamaged(
        f"store {str(path)!r} is damaged ({line[:120]}); repair it with: {repair_command(path)}"
    )


def repair_command(path: Path) -> str:
    """Return the command that repairs the run whose store is at `path`."""
    return f"denas repair {shlex.quote(str(path.parent))}"
