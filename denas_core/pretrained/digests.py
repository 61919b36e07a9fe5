"""Digests of files with weights. Those of large files are kept, so that a file that has not changed is read once."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

from denas_core.seeding import digest
from denas_core.system.atomic import storage_errors
from denas_core.system.cache import read_cached, write_cached

KEPT_FROM_BYTES = 2**26
"""Smaller files are read each time, which takes less than a tenth of a second."""

SETTLED_NS = 3_000_000_000
"""A file must not have changed for so long when its digest is kept. Within the resolution of its file system, a second
change of the same file would leave the times as they are."""


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of the contents of a file.

    The digest of a large file is kept in the user's cache, together with the device, inode, size and times of the file.
    It is used again only while all of them are as they were. The time at which the system noted the last change is one
    of them: programs that give a changed file its former time of modification do not change that one.

    Raises:
        StorageError: the file cannot be read.
    """
    name = f"digests/{digest([str(path)], size=8)}.json"
    with storage_errors(path), path.open("rb") as file:
        begun, before = time.time_ns(), os.fstat(file.fileno())
        if before.st_size < KEPT_FROM_BYTES:
            return hashlib.file_digest(file, "sha256").digest()
        state = {"path": str(path), **_state(before)}
        kept = read_cached(name) or {}
        found = kept.pop("sha256", None)
        if kept == state and isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found):
            return bytes.fromhex(found)
        total = hashlib.file_digest(file, "sha256")
        after = os.fstat(file.fileno())
    if _state(after) == _state(before) and begun - max(before.st_mtime_ns, before.st_ctime_ns) > SETTLED_NS:
        write_cached(name, {**state, "sha256": total.hexdigest()})
    return total.digest()


def _state(status: os.stat_result) -> dict[str, int]:
    """Return what differs after a change of a file."""
    return {
        "device": status.st_dev,
        "inode": status.st_ino,
        "size": status.st_size,
        "modified_ns": status.st_mtime_ns,
        "changed_ns": status.st_ctime_ns,
    }
