"""Worker processes on this machine, each with a socket of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import psutil

from denas_core.errors import ConfigError
from denas_core.text import quantity

from .channel import ANSWER, JOB, READY, UNABLE, WORK, Inbox, send_frame
from .transport import Event

SECONDS_BETWEEN_MEMORY_CHECKS = 0.25

SECONDS_TO_START = 120.0
"""A worker that has not loaded its job after this time is ended."""

_START = (
    "import sys; sys.path[:] = {path!r}; from denas_core.workers.worker import main; main({socket}, {parent})"
)


class _Process:
    """One worker process.

    Attributes:
        is_ready: Whether it has loaded its job.
        has_work: Whether it was given work that it has not answered.
        answers: Number of answers it has given.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            code = _START.format(path=sys.path, socket=theirs.fileno(), parent=os.getpid())
            try:
                # In a session of its own, so that Ctrl-C reaches the search alone, and all its children can be ended.
                self._popen = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=_STDERR,
                    env=dict(environment),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise ConfigError(f"cannot start a worker process: {error.strerror or error}") from error
        self.name = name
        self.socket = ours
        self.inbox = Inbox(ours)
        self.is_ready = False
        self.has_work = False
        self.answers = 0
        self.started_at = time.monotonic()

    def send(self, kind: bytes, content: bytes) -> None:
        # A worker that has ended is noticed when the supervisor waits.
        with contextlib.suppress(OSError):
            send_frame(self.socket, kind, content)

    def resident_bytes(self) -> int:
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self._popen.pid).memory_info().rss)
        return 0

    def end(self) -> str:
        """Kill the process and its children, and return how it ended, as text for the user."""
        if self._popen.poll() is None:
            # Between the closed socket of a process that ends by itself and its end there is a moment.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(0 if self.inbox.is_open else 0.5)
        status = self._popen.poll()
        with contextlib.suppress(OSError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self.socket.close()
        if status is None:
            return "it was ended"
        return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"


_STDERR = 2
"""Standard output of a worker goes to standard error, as everything that plugins print does."""


class ProcessTransport:
    """Worker processes on this machine. They are started when work comes, and replaced when they are lost.

    Attributes:
        notices: Sentences about workers that were replaced between candidates.
    """

    def __init__(
        self, count: int, *, threads: int = 1, memory: int | None = None, candidates: int = 1000
    ) -> None:
        """Describe the workers; `load` starts them.

        Args:
            count: Number of processes.
            threads: Number of threads that libraries may use in each.
            memory: Bytes of memory that each may hold. A process that holds more is killed; None sets no limit.
            candidates: A process is replaced after this number of candidates, or when it holds more than half of
                `memory` between two candidates.
        """
        self._count = count
        self._memory = memory
        self._candidates = candidates
        self._environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self._names = itertools.count(1)
        self._job = b""
        self._workers: dict[str, _Process] = {}
        self._selector = selectors.DefaultSelector()
        self._checked_at = 0.0

    def load(self, job: bytes) -> None:
        """Send a job to each process, and start processes up to their number."""
        self._job = job
        for name, process in list(self._workers.items()):
            if process.has_work:
                # Its work was given up. It may hang, and would not read the job.
                self._remove(name)
                continue
            process.is_ready = False
            process.started_at = time.monotonic()
            process.send(JOB, job)
        self._start_missing()

    def free(self) -> Sequence[str]:
        """Return the names of the processes that can take work now."""
        return [name for name, one in self._workers.items() if one.is_ready and not one.has_work]

    def send(self, worker: str, message: bytes) -> None:
        """Give work to a process."""
        self._workers[worker].has_work = True
        self._workers[worker].send(WORK, message)

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return what has happened to the processes."""
        seconds = min(seconds, SECONDS_BETWEEN_MEMORY_CHECKS)
        events: list[Event] = []
        for key, _ in self._selector.select(seconds):
            events += self._read(key.data)
        events += self._check()
        return events

    def end(self, worker: str) -> None:
        """Kill a process and start another one."""
        if worker in self._workers:
            self._remove(worker)
            self._start_missing()

    def close(self) -> None:
        """Kill every process."""
        for worker in list(self._workers):
            self._remove(worker)
        self._selector.close()

    def _start_missing(self) -> None:
        started = []
        while len(self._workers) < self._count:
            process = _Process(f"process {next(self._names)}", self._environment)
            self._workers[process.name] = process
            self._selector.register(process.socket, selectors.EVENT_READ, process.name)
            started.append(process)
        # All of them start before one waits for a large job to be read.
        for process in started:
            process.send(JOB, self._job)

    def _remove(self, worker: str) -> str:
        process = self._workers.pop(worker)
        self._selector.unregister(process.socket)
        return process.end()

    def _read(self, worker: str) -> list[Event]:
        process, events = self._workers[worker], []
        for kind, content in process.inbox.read():
            if kind == READY:
                process.is_ready = True
                events.append(Event(worker, "ready"))
            elif kind == UNABLE:
                events.append(Event(worker, "unable", reason=content.decode(errors="replace")))
            elif kind == ANSWER:
                process.has_work = False
                process.answers += 1
                events.append(Event(worker, "answer", message=content))
            else:
                process.inbox.is_open = False
        if not process.inbox.is_open:
            events.append(Event(worker, "lost", reason=f"its worker ended: {self._remove(worker)}"))
            self._start_missing()
        elif events and events[-1].kind == "answer" and self._is_worn(process):
            self._remove(worker)
            self._start_missing()
        return events

    def _is_worn(self, process: _Process) -> bool:
        half = self._memory is not None and process.resident_bytes() > self._memory // 2
        return half or process.answers >= self._candidates

    def _check(self) -> list[Event]:
        """Return events of processes that hold too much memory, or do not start."""
        now, events = time.monotonic(), []
        if now - self._checked_at < SECONDS_BETWEEN_MEMORY_CHECKS:
            return []
        self._checked_at = now
        for name, process in list(self._workers.items()):
            if self._memory is not None and process.resident_bytes() > self._memory:
                reason = f"out of memory: it holds more than the {quantity(self._memory)}B of a worker"
                events.append(Event(name, "lost", reason=reason, is_final=True))
            elif (
                not process.is_ready and not process.has_work and now - process.started_at > SECONDS_TO_START
            ):
                events.append(
                    Event(name, "lost", reason=f"its worker did not start within {SECONDS_TO_START:g} s")
                )
        for event in events:
            self._remove(event.worker)
        if events:
            self._start_missing()
        return events
