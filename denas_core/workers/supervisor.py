"""The supervisor: it hands out work, watches deadlines, and gives every candidate a result, whatever happens."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator

from denas_core.errors import PluginError
from denas_core.text import seconds as duration
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .job import Function, dump_job
from .messages import Answer, Work
from .transport import Event, Transport

Result = tuple[int, Evaluation]

ATTEMPTS = 2
"""A candidate whose worker was lost is evaluated once more, because the candidate may not be the cause."""

IDLE_LOSSES = 5
"""The supervisor gives up if this many workers in a row are lost before they were given any work."""

GRACE_SECONDS = 5.0
"""Seconds that running candidates have to finish after `Supervisor.stop`."""

LONGEST_WAIT = 0.5


@dataclasses.dataclass(slots=True)
class _Task:
    run: int
    index: int
    arch: Architecture
    attempt: int = 0
    lease: int = 0
    until: float = math.inf


class _Queue:
    """The work of one run: what must be evaluated again comes first, then what the study gives."""

    def __init__(self, run: int, work: Iterable[tuple[int, Architecture]]) -> None:
        self.run = run
        self._source = iter(work)
        self._again: deque[_Task] = deque()
        self._is_exhausted = False

    @property
    def is_empty(self) -> bool:
        """Whether `take` has found that nothing is left."""
        return self._is_exhausted and not self._again

    def take(self) -> _Task | None:
        """Return the next task, or None."""
        if self._again:
            return self._again.popleft()
        if (found := next(self._source, None)) is not None:
            return _Task(self.run, *found)
        self._is_exhausted = True
        return None

    def put_back(self, task: _Task) -> None:
        """Let a task be taken next."""
        self._again.appendleft(task)


class Supervisor:
    """Evaluates work by the workers of a transport, one piece a worker at a time.

    Every piece of work gives exactly one result. A worker that does not answer within the deadline is replaced, and its
    candidate fails. A candidate whose worker was lost is evaluated once more, and fails if that worker is lost, too.
    An answer counts only if its lease is the one that its worker holds.

    Attributes:
        losses: A sentence for each lost or replaced worker.
    """

    def __init__(self, transport: Transport, *, deadline: float = math.inf) -> None:
        """Supervise the workers of `transport`.

        Args:
            transport: Carries messages to and from the workers.
            deadline: Seconds that a worker may take for a candidate.
        """
        self.losses: list[str] = []
        self._transport = transport
        self._deadline = deadline
        self._function: Function | None = None
        self._leases = itertools.count(1)
        self._runs = itertools.count(1)
        self._running: dict[str, _Task] = {}
        self._idle_losses = 0
        self._stop_at = math.inf

    def run(self, function: Function, work: Iterable[tuple[int, Architecture]]) -> Iterator[Result]:
        """Yield the index and result of each piece of work, in any order.

        Args:
            function: What the workers call. It is sent to them if it is another one than before.
            work: Indices and architectures. The next one is taken when a worker is free.

        Raises:
            ConfigError: the function cannot be sent to workers, or no worker can be started or load it.
            PluginError: workers end again and again before they take any work.
            Exception: what `function` or `work` raised.
        """
        queue = _Queue(next(self._runs), work)
        if (first := queue.take()) is None:
            return
        queue.put_back(first)
        self._load(function)
        while True:
            self._hand_out(queue)
            if queue.is_empty and not any(task.run == queue.run for task in self._running.values()):
                return
            if time.monotonic() >= self._stop_at:
                return
            results: list[Result] = []
            for event in self._transport.wait(self._seconds_to_wait()):
                results += self._handle(event, queue)
            results += self._overdue(queue.run)
            # Workers go on with new work while the results are stored.
            self._hand_out(queue)
            yield from results

    def stop(self) -> None:
        """End `run` when the candidates that are being evaluated are finished, or after a few seconds."""
        self._stop_at = time.monotonic() + GRACE_SECONDS

    def close(self) -> None:
        """End every worker."""
        self._running.clear()
        self._function = None
        self._transport.close()

    def _load(self, function: Function) -> None:
        # A search runs the same function in every generation, which need not be pickled again.
        if self._function is None or function != self._function:
            self._transport.load(dump_job(function))
            self._function = function

    def _hand_out(self, queue: _Queue) -> None:
        """Give work to each free worker, as long as there is any."""
        for worker in self._transport.free():
            if worker in self._running:
                continue
            if (task := queue.take()) is None:
                return
            task.attempt += 1
            task.lease = next(self._leases)
            task.until = time.monotonic() + self._deadline
            self._running[worker] = task
            self._transport.send(worker, Work(task.lease, task.arch).encode())

    def _handle(self, event: Event, queue: _Queue) -> list[Result]:
        if event.kind == "ready":
            return []
        if event.kind == "unable":
            raise PluginError(f"a worker cannot load what it must evaluate: {event.reason}")
        if event.kind == "lost":
            return self._lost(event, self._running.pop(event.worker, None), queue)
        if event.kind == "returned":
            task = self._running.pop(event.worker, None)
            if task is not None and task.run == queue.run:
                # Not an attempt: a worker that its user ends says nothing about the candidate.
                task.attempt -= 1
                queue.put_back(task)
            return []
        self._idle_losses = 0
        try:
            answer = Answer.decode(event.message)
        except ValueError as error:
            self._transport.end(event.worker)
            reason = f"its worker sent something that is not a result ({error})"
            lost = Event(event.worker, "lost", reason=reason)
            return self._lost(lost, self._running.pop(event.worker, None), queue)
        task = self._running.get(event.worker)
        if task is None or answer.lease != task.lease:
            # The answer is late: its candidate was given up, or handed out again.
            return []
        del self._running[event.worker]
        if task.run != queue.run:
            return []
        if answer.raised is not None:
            raise answer.raised
        assert answer.evaluation is not None
        return [(task.index, answer.evaluation)]

    def _lost(self, event: Event, task: _Task | None, queue: _Queue) -> list[Result]:
        if task is None:
            self._idle_losses += 1
            if self._idle_losses >= IDLE_LOSSES:
                raise PluginError(f"{IDLE_LOSSES} workers ended before they took any work: {event.reason}")
            self.losses.append(f"a worker without work was replaced: {event.reason}")
            return []
        self._idle_losses = 0
        self.losses.append(f"the worker of candidate {task.index} was replaced: {event.reason}")
        if task.run != queue.run:
            return []
        if task.attempt < ATTEMPTS and not event.is_final:
            queue.put_back(task)
            return []
        attempts = "" if task.attempt == 1 else f" ({task.attempt} workers)"
        return [(task.index, Evaluation(state="failed", reason=f"{event.reason}{attempts}"))]

    def _overdue(self, run: int) -> list[Result]:
        results = []
        while self._next_deadline() <= time.monotonic():
            worker = next(iter(self._running))
            task = self._running.pop(worker)
            self._transport.end(worker)
            reason = f"timed out: no result after {duration(self._deadline)}"
            self.losses.append(f"the worker of candidate {task.index} was replaced: {reason}")
            if task.run == run:
                results.append((task.index, Evaluation(state="failed", reason=reason)))
        return results

    def _next_deadline(self) -> float:
        # All deadlines are equally long, so the task that was handed out first is due first.
        return next((task.until for task in self._running.values()), math.inf)

    def _seconds_to_wait(self) -> float:
        until = min(self._next_deadline(), self._stop_at)
        return max(0.0, min(LONGEST_WAIT, until - time.monotonic()))
