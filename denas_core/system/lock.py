"""A lock that lets only one process work in a run directory. The kernel releases it when the process ends."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
import warnings
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from denas_core.errors import RunBusy, StorageError

from .atomic import LOCK, storage_errors, write_json

SECONDS_TO_NAME_ITSELF = 1.0
"""How long a process that cannot take the lock waits until the owner has written its name."""

OWNER = "owner.json"
"""File that names the process that holds the lock."""

LOCK_FILES = (LOCK, OWNER)


class RunLock:
    """Exclusive use of a run directory, for as long as the process lives or until `release`."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            RunBusy: another process holds the lock. The text names the process.
            StorageError: the file system refuses.
        """
        self._owner = directory / OWNER
        self._lock = FileLock(directory / LOCK)
        # filelock warns if there are no locks. The error below replaces its warning.
        with storage_errors(directory / LOCK), warnings.catch_warnings(action="ignore"):
            try:
                self._acquire(directory)
            except NotImplementedError:
                raise StorageError(_no_locks(directory)) from None
        if isinstance(self._lock, SoftFileLock):
            # A soft lock is a plain file, which would remain after a kill.
            self._lock.release()
            raise StorageError(_no_locks(directory))
        try:
            write_json(
                self._owner,
                {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")},
            )
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Release the directory for other processes."""
        try:
            with contextlib.suppress(OSError):  # the name of a former owner does no harm
                self._owner.unlink()
        finally:
            self._lock.release()

    def _acquire(self, directory: Path) -> None:
        # The owner writes its name shortly after locking; a mere check never writes one. Until then the file may be
        # missing or name a dead process.
        deadline = time.monotonic() + SECONDS_TO_NAME_ITSELF
        while True:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                owner = self._named_owner()
                if owner is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                user = owner or "another process"
                raise RunBusy(f"run directory {str(directory)!r} is in use by {user}; wait for it") from None
            return

    def _named_owner(self) -> str | None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(self._owner.read_text())
            if owner["host"] != platform.node() or _is_alive(int(owner["pid"])):
                return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        return None


def is_held(directory: Path) -> bool:
    """Return whether a running process holds the lock of a run directory, without waiting or writing."""
    # The owner of the lock has written a file. Without it nobody works here, and even this check need not lock.
    if not (directory / OWNER).exists() or not (directory / LOCK).exists():
        return False
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release()
    return False


def _no_locks(directory: Path) -> str:
    return f"the file system of {str(directory)!r} has no locks; choose a run directory on another one"


def _is_alive(process: int) -> bool:
    if not hasattr(os, "fork"):  # on Windows, os.kill would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
