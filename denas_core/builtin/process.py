"""The executor of this machine's cores: supervised worker processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from denas_core.contracts.component import option
from denas_core.contracts.executor import Demand
from denas_core.contracts.supervised import SupervisedExecutor
from denas_core.errors import ConfigError
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation
from denas_core.workers.capacity import MEMORY_SHARE, asked_workers, capacity, check_fits
from denas_core.workers.job import dump_job
from denas_core.workers.processes import ProcessTransport

from .serial import Serial


@dataclasses.dataclass(kw_only=True)
class Process(SupervisedExecutor):
    """Evaluates in worker processes on this machine, one candidate a process at a time.

    A candidate that does not end, takes too much memory or ends its process fails, and the search goes on. Without the
    option `workers`, the environment variable DENAS_WORKERS decides, then the cores and the memory of the machine. If
    that is one worker, or candidates need a GPU, candidates are evaluated in the process of the search.
    """

    workers: int | None = option(
        None, "Number of worker processes; by default as many as cores and memory allow", at_least=1
    )
    memory_gb: float | None = option(
        None, "GB of memory that a worker may hold; by default its share of the free memory", above=0
    )
    candidates: int = option(
        1000, "Number of candidates after which a worker process is replaced by a new one", at_least=1
    )

    def make_transport(self, demand: Demand) -> ProcessTransport:
        """Return the processes, which start with the first work."""
        room = capacity(threads=demand.threads, candidate_bytes=demand.memory)
        count = self._count(demand)
        if self.workers is not None:
            check_fits(count, room)
        memory = None
        if self.memory_gb is not None:
            memory = int(self.memory_gb * 1e9)
        elif room.free_bytes is not None:
            memory = int(room.free_bytes * MEMORY_SHARE / count)
        return ProcessTransport(count, threads=demand.threads, memory=memory, candidates=self.candidates)

    def open(self, demand: Demand) -> None:
        """Decide how many processes there are. One that nobody asked for is the process of the search itself."""
        self.close()
        self.__dict__["_notices"] = []
        count = self._count(demand)
        self.__dict__["_slots"] = count if self.workers is not None or count > 1 else 0
        if self.slots:
            super().open(demand)

    @property
    def slots(self) -> int:
        """The number of worker processes."""
        count: int = self.__dict__.get("_slots", 0)
        return count

    def run(
        self, evaluate: Callable[[Architecture], Evaluation], work: Iterable[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        """Yield each result as soon as it is there."""
        if "_slots" not in self.__dict__:
            self.open(Demand())
        if self._supervisor() is not None and self.workers is None:
            self._stay_if_bound(evaluate)
        if self._supervisor() is None:
            yield from Serial().run(evaluate, work)
        else:
            yield from super().run(evaluate, work)

    def describe(self) -> str:
        """Return the number of workers, if there is more than one."""
        return f"{self.slots} workers" if self.slots > 1 else ""

    def notices(self) -> Sequence[str]:
        """Return what happened to workers, and why there are none."""
        return [*self.__dict__.get("_notices", ()), *super().notices()]

    def close(self) -> None:
        """End every process."""
        super().close()
        self.__dict__.pop("_slots", None)
        self.__dict__.pop("_sendable", None)

    def _count(self, demand: Demand) -> int:
        if self.workers is not None:
            return self.workers
        if (asked := asked_workers()) is not None:
            return asked
        if demand.device != "cpu":
            return 1
        return capacity(threads=demand.threads, candidate_bytes=demand.memory).workers

    def _stay_if_bound(self, evaluate: Callable[[Architecture], Evaluation]) -> None:
        """Evaluate in this process if what is evaluated cannot leave it, since the user did not ask for workers."""
        # A search evaluates the same in every generation, which need not be pickled again.
        if self.__dict__.get("_sendable") == evaluate:
            return
        try:
            dump_job(evaluate)
            self.__dict__["_sendable"] = evaluate
        except ConfigError as error:
            self.__dict__["_notices"].append(f"one core is used: {error}")
            SupervisedExecutor.close(self)
            self.__dict__["_slots"] = 0
