"""Atomic file writes: after a kill or a full disk, a file has its old content or its new content, never a mixture."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.errors import StorageError

LOCK = "run.lock"
"""Name of the file that a process locks while it works in a directory."""

WORK = ".repair.tmp"
"""Name of the directory in which a repair of a run works."""

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into an error of one line that says what the user can do.

    Raises:
        StorageError: the file system failed. The text names `path` and the cause.
    """
    try:
        yield
    except OSError as error:
        remedy = "let this user write there" if error.errno in _FORBIDDEN else "free space"
        raise StorageError(
            f"cannot use {str(path)!r}: {error.strerror or error}; {remedy}, or choose another place, then resume"
        ) from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace the content of a file; text is written as UTF-8. After a kill or a full disk, the old content is intact.

    Raises:
        StorageError: the file system refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    with storage_errors(path):
        try:
            with temporary.open("xb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def write_json(path: Path, document: Any) -> None:
    """Replace the content of a file by indented JSON, see `write_atomically`."""
    write_atomically(path, json.dumps(document, indent=2, allow_nan=False) + "\n")


def sync_directory(path: Path) -> None:
    """Make sure that files created or renamed in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path) -> None:
    """Remove the temporary files of killed writes and repairs. The caller must hold the lock of the directory."""
    shutil.rmtree(directory / WORK, ignore_errors=True)
    with storage_errors(directory):
        for folder, inner, files in os.walk(directory):
            links = [name for name in inner if Path(folder, name).is_symlink()]
            # A folder with its own lock, such as the training of a run, may be in use by another process.
            inner[:] = [name for name in inner if not Path(folder, name, LOCK).exists()]
            for name in fnmatch.filter([*files, *links], ".*.tmp*"):
                Path(folder, name).unlink(missing_ok=True)
