"""A transport without processes: it answers in a random order, late, twice, with rubbish, and loses workers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from denas_core.workers.job import Function, answer_to, load_job
from denas_core.workers.transport import Event


class SimulatedTransport:
    """Workers whose answers come in an order that depends on a seed.

    Attributes:
        sent: Work messages sent so far, in order.
    """

    def __init__(self, workers: int, *, seed: int = 0, losses: float = 0.0, rubbish: float = 0.0) -> None:
        self.sent: list[bytes] = []
        self._rng = random.Random(seed)
        self._losses, self._rubbish = losses, rubbish
        self._function: Function | None = None
        self._work: dict[str, bytes | None] = {f"worker {i}": None for i in range(workers)}
        self._count = workers
        self._old: list[Event] = []

    def load(self, job: bytes) -> None:
        self._function = load_job(job)

    def free(self) -> Sequence[str]:
        names = [name for name, work in self._work.items() if work is None]
        self._rng.shuffle(names)
        return names

    def send(self, worker: str, message: bytes) -> None:
        assert self._work[worker] is None
        self._work[worker] = message
        self.sent.append(message)

    def wait(self, seconds: float) -> Sequence[Event]:
        busy = [name for name, work in self._work.items() if work is not None]
        if not busy:
            return []
        worker = self._rng.choice(busy)
        if self._rng.random() < self._losses:
            self.end(worker)
            return [Event(worker, "lost", reason="its worker ended: simulated")]
        if self._rng.random() < self._rubbish:
            return [Event(worker, "answer", message=b"rubbish")]
        message = self._work[worker]
        assert self._function is not None
        assert message is not None
        self._work[worker] = None
        answer = Event(worker, "answer", message=answer_to(self._function, message))
        # An answer that has come before comes again now and then, also from a worker that has other work.
        again = [self._rng.choice(self._old)] if self._old and self._rng.random() < 0.2 else []
        self._old.append(answer)
        return [*again, answer]

    def end(self, worker: str) -> None:
        del self._work[worker]
        self._count += 1
        self._work[f"worker {self._count}"] = None

    def close(self) -> None:
        self._work.clear()
