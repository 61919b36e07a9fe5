"""Workers that share a directory with their search: a transport made of files, for machines without a cluster.

A search has a folder in the shared directory, which is its mailbox, and each worker has a mailbox in that folder.
Whoever may write to the directory can run code as each user of it, because jobs are pickles.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, NoResult
from denas_core.system.atomic import storage_errors
from denas_core.text import seconds as duration

from .mailbox import SECONDS_BETWEEN_SIGNS, SIGN, Pulse, post, renew_sign, take_letters, write_whole
from .transport import Event

SEARCH = "search-"
"""How the name of a search's folder begins."""

SHORTEST_PAUSE, LONGEST_PAUSE, GROWTH = 0.003, 0.1, 1.5
"""Seconds between looks into a mailbox. They grow while nothing comes: long candidates may wait a little longer."""

REMOVALS = 10
"""Times that the directory of a search is removed at its end, if workers write into it."""

SECONDS_KEPT = 24 * 3600.0
"""The folder of a search that was killed is removed when its last sign is so much older than that of a new search."""

_MARK = "denas.queue"
"""A file that says what the directory is for."""


def check_directory(directory: Path, *, allow_others: bool = False) -> None:
    """Check that a directory can be shared by a search and its workers, and mark it as theirs.

    Raises:
        ConfigError: it does not exist, is used for something else, or users who are not trusted may write to it.
        StorageError: this user cannot write to it.
    """
    shown = repr(str(directory))
    with storage_errors(directory):
        if not directory.exists():
            raise ConfigError(
                f"there is no directory {shown}; make one that all machines of the search share"
            )
        if not directory.is_dir():
            raise ConfigError(f"{shown} is not a directory; name one that all machines of the search share")
        names = [path.name for path in directory.iterdir()]
        others = [name for name in names if not name.startswith((".", SEARCH))]
        if others and _MARK not in others:
            raise ConfigError(f"{shown} holds other files, such as {min(others)!r}; name an empty directory")
        found = directory.stat()
        if (found.st_mode & 0o022 or found.st_uid not in (0, os.getuid())) and not allow_others:
            raise ConfigError(
                f"other users may write to {shown}, and so run code as you; use a directory of your own "
                "(chmod go-w), or allow it if you trust them all, see 'denas worker --help'"
            )
        write_whole(directory / _MARK, b"Searches and workers of DE-NAS meet here. Jobs are pickles.\n")


@dataclasses.dataclass(slots=True)
class _Worker:
    """A machine's worker: its sign of life, and its processes that are free or have work."""

    pulse: Pulse
    free: set[str] = dataclasses.field(default_factory=set)
    busy: set[str] = dataclasses.field(default_factory=set)


class DirectoryTransport:
    """Carries messages to workers that come and go. A name of a worker is ``<machine's worker>/<process>``.

    Attributes:
        notices: Sentences about workers that were left out or lost.
    """

    def __init__(
        self, directory: Path, facts: Mapping[str, Any], *, silence: float = 15.0, patience: float = 3600.0
    ) -> None:
        """Describe a search; `load` begins it.

        Args:
            directory: The shared directory.
            facts: What workers must know of the search, as JSON can represent it.
            silence: Seconds without a sign of life after which a worker counts as lost.
            patience: Seconds without any worker after which the search ends.
        """
        self.notices: list[str] = []
        self._directory = directory
        self._facts = dict(facts)
        self._silence = silence
        self._patience = patience
        self._search: Path | None = None
        self._closed = threading.Event()
        self._workers: dict[str, _Worker] = {}
        self._gone: set[str] = set()
        self._pause = SHORTEST_PAUSE
        self._looked_at = time.monotonic()
        self._seconds_alone = 0.0

    @property
    def processes(self) -> int:
        """The number of processes of all workers."""
        return sum(len(worker.free) + len(worker.busy) for worker in self._workers.values())

    def load(self, job: bytes) -> None:
        """Write the job where workers find it."""
        with storage_errors(self._directory):
            search = self._search or self._begin()
            self._facts["job"] = hashlib.sha256(job).hexdigest()[:16]
            write_whole(search / f"job-{self._facts['job']}", job)
            renew_sign(search, self._facts)
        for worker in self._workers.values():
            worker.free.clear()
        if self._search is None:
            self._search, self._closed, self._seconds_alone = search, threading.Event(), 0.0
            self._signing = threading.Thread(
                target=_keep_signing, args=(search, self._facts, self._closed), daemon=True
            )
            self._signing.start()

    def free(self) -> Sequence[str]:
        """Return the names of the processes that can take work now."""
        return [
            f"{name}/{process}" for name, worker in self._workers.items() for process in sorted(worker.free)
        ]

    def send(self, worker: str, message: bytes) -> None:
        """Give work to a process."""
        name, process = worker.split("/")
        self._workers[name].free.discard(process)
        self._workers[name].busy.add(process)
        self._post(name, {"process": process, "work": message.decode(), "job": self._facts["job"]})

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return what workers have written, or that one of them is silent."""
        until = time.monotonic() + seconds
        while True:
            events = self._read() + self._check()
            left = until - time.monotonic()
            if events or left <= 0:
                return events
            time.sleep(min(self._pause, left))
            self._pause = min(self._pause * GROWTH, LONGEST_PAUSE)

    def end(self, worker: str) -> None:
        """Tell a worker to end one of its processes."""
        name, process = worker.split("/")
        if name in self._workers:
            self._workers[name].busy.discard(process)
            self._workers[name].free.discard(process)
            self._post(name, {"process": process, "end": True})

    def close(self) -> None:
        """End the search, which workers notice."""
        if self._search is not None:
            self._closed.set()
            self._signing.join()
            with contextlib.suppress(OSError):
                (self._search / SIGN).unlink()
            for _ in range(REMOVALS):
                shutil.rmtree(self._search, ignore_errors=True)
                if not self._search.exists():
                    break
                # A worker has written a letter meanwhile. It notices the missing sign and writes no other one.
                time.sleep(LONGEST_PAUSE)
        self._search = None
        self._workers.clear()

    def _begin(self) -> Path:
        search = self._directory / f"{SEARCH}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        search.mkdir()
        # Both times are those of the file system, whatever the clocks of the machines say.
        newest = search.stat().st_mtime
        for other in self._directory.glob(f"{SEARCH}*"):
            sign = other / SIGN
            # Another search may be removing it, too.
            with contextlib.suppress(FileNotFoundError):
                if newest - (sign if sign.exists() else other).stat().st_mtime > SECONDS_KEPT:
                    shutil.rmtree(other, ignore_errors=True)
        return search

    def _post(self, name: str, letter: dict[str, Any]) -> None:
        assert self._search is not None
        # A worker that has removed its mailbox has written why, or will be missed.
        with storage_errors(self._directory), contextlib.suppress(FileNotFoundError):
            post(self._search / name, "search", letter)

    def _read(self) -> list[Event]:
        """Return what the letters of workers say."""
        if self._search is None:
            return []
        with storage_errors(self._directory):
            letters = take_letters(self._search)
        if letters:
            self._pause = SHORTEST_PAUSE
        events: list[Event] = []
        for letter in letters:
            name = letter["worker"]
            if name in self._gone:
                continue
            if name not in self._workers and letter["kind"] in ("ready", "answer"):
                self._workers[name] = _Worker(Pulse(self._search / name))
            events += self._handle(name, letter)
        return events

    def _handle(self, name: str, letter: Mapping[str, Any]) -> list[Event]:
        kind, reason = letter["kind"], letter["reason"]
        if kind in ("left", "unable", "refused"):
            return self._leave(name, kind, reason)
        worker, process = self._workers.get(name), letter["process"]
        if worker is None:
            return []
        had_work = process in worker.busy
        worker.busy.discard(process)
        worker.free.discard(process)
        # A process that was told to end is in neither set, and its late answer does not make it free.
        if letter["is_free"] and (had_work or kind == "ready"):
            worker.free.add(process)
        if kind == "lost" and not had_work:
            return []
        where = f"{reason} (on {name})" if reason else ""
        return [Event(f"{name}/{process}", kind, letter["message"].encode(), where, letter["is_final"])]

    def _leave(self, name: str, kind: str, reason: str) -> list[Event]:
        """Forget a worker. What it was evaluating is given to others."""
        self._gone.add(name)
        worker = self._workers.pop(name, None)
        if kind == "unable" and not self._workers:
            return [Event(name, "unable", reason=f"{reason} (on {name})")]
        if reason:
            self.notices.append(f"worker {name} gets no work: {reason}")
        return [Event(f"{name}/{process}", "returned") for process in sorted(worker.busy)] if worker else []

    def _check(self) -> list[Event]:
        """Return the lost events of workers that have been silent for too long."""
        elapsed, events = time.monotonic() - self._looked_at, []
        if elapsed < SECONDS_BETWEEN_SIGNS:
            return []
        self._looked_at += elapsed
        for name, worker in list(self._workers.items()):
            if worker.pulse.look() <= self._silence:
                continue
            reason = f"worker {name} gave no sign of life for {duration(self._silence)}"
            del self._workers[name]
            self._gone.add(name)
            if self._search is not None:
                # If it lives after all, it notices that, and comes back under another name.
                shutil.rmtree(self._search / name, ignore_errors=True)
            if not worker.busy:
                self.notices.append(reason)
            events += [Event(f"{name}/{process}", "lost", reason=reason) for process in sorted(worker.busy)]
        # The time that the search spends elsewhere does not count.
        alone = self._seconds_alone + min(elapsed, 2 * SECONDS_BETWEEN_SIGNS)
        self._seconds_alone = 0.0 if self._workers else alone
        if self._seconds_alone > self._patience:
            raise NoResult(
                f"there was no worker for {duration(self._patience)}; start some with 'denas worker "
                f"{self._directory}', and go on with --resume"
            )
        return events


def _keep_signing(search: Path, facts: Mapping[str, Any], closed: threading.Event) -> None:
    """Renew the sign of a search until it is closed: the search itself may be busy for minutes."""
    while not closed.wait(SECONDS_BETWEEN_SIGNS):
        with contextlib.suppress(OSError):
            renew_sign(search, dict(facts))
