"""One process a run directory: a lock that the kernel drops when its owner dies."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path

from filelock import FileLock, Timeout

from .atomic import storage_errors, write_json
from .errors import RunBusy


class RunLock:
    """Exclusive use of a run directory, for as long as the process lives or until `release`."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            RunBusy: another process holds it; says which.
            StorageError: the file system refuses.
        """
        self._owner = directory / "owner.json"
        self._lock = FileLock(directory / "run.lock")
        with storage_errors(directory / "run.lock"):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:  # an OSError itself, hence inside
                busy = f"run directory {str(directory)!r} is in use{self._described_owner()}; wait for it"
                raise RunBusy(busy) from None
        try:
            write_json(
                self._owner,
                {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")},
            )
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Let go of the directory."""
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def _described_owner(self) -> str:
        try:
            owner = json.loads(self._owner.read_text())
            return f" by process {owner['pid']} on {owner['host']} since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return " by another process"
