"""Files that are either the old ones or the new ones, whatever happens in between."""

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
"""File that whoever works in a directory has locked."""

WORK = ".repair.tmp"
"""Directory in a run in which a repair works."""

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into the one line a user can act on.

    Raises:
        StorageError: naming `path` and the cause.
    """
    try:
        yield
    except OSError as error:
        remedy = "let this user write there" if error.errno in _FORBIDDEN else "free space"
        raise StorageError(
            f"cannot use {str(path)!r}: {error.strerror or error}; {remedy}, or choose another place, then resume"
        ) from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file's content, text as UTF-8; a kill or a full disk leaves the old content whole.

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
    """Replace a file's content by indented JSON; see `write_atomically`."""
    write_atomically(path, json.dumps(document, indent=2, allow_nan=False) + "\n")


def sync_directory(path: Path) -> None:
    """Make a created or replaced name in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path) -> None:
    """Remove the temporary files of writes and repairs that were killed; only under the directory's lock."""
    shutil.rmtree(directory / WORK, ignore_errors=True)
    with storage_errors(directory):
        for folder, inner, files in os.walk(directory):
            links = [name for name in inner if Path(folder, name).is_symlink()]
            # What has a lock of its own, such as the training of a run, may be at work.
            inner[:] = [name for name in inner if not Path(folder, name, LOCK).exists()]
            for name in fnmatch.filter([*files, *links], ".*.tmp*"):
                Path(folder, name).unlink(missing_ok=True)
