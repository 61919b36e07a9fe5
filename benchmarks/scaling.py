"""What one driver can feed: the real study, supervisor and store, with simulated workers.

    python benchmarks/scaling.py [--workers 1,2,10,100,1000,10000] [--candidates N] [--json]

Workers are entries of a queue of events. Each candidate takes a time drawn from measured ones, and a worker is lost
with a probability of 1 % an hour. The clock is simulated: it jumps to the next answer when the driver waits, and runs
as it is while the driver works. So the time of the driver, with the commits of its store, is real, and nothing sleeps.

Utilisation is the share of the workers' time that is spent on candidates whose results count.
"""

from __future__ import annotations

import argparse
import dataclasses
import heapq
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.overhead import Digits, Hash, Memory
from denas_core import Demand, Event, SupervisedExecutor, Transport, answer_to, load_job, option, search
from denas_core.builtin import RandomSearch

LISTS = Path(__file__).parent / "architectures"
LOSSES_PER_HOUR = 0.01
ROUND_TRIP = 0.001
"""Seconds that a message takes to a worker and back, about those of a local network."""


class SimulatedWorkers:
    """A transport to workers that exist as events only.

    Attributes:
        busy_seconds: Simulated seconds of work whose results were given.
        driver_seconds: Real seconds between two waits, in which the driver worked.
        lost: Number of workers lost so far.
    """

    def __init__(self, count: int, durations: Sequence[float]) -> None:
        self.busy_seconds = self.driver_seconds = self.now = 0.0
        self.lost = 0
        self._rng = random.Random(0)
        self._durations = durations
        self._free = dict.fromkeys(f"worker {number}" for number in range(count))
        self._events: list[tuple[float, str, float, bytes]] = []
        self._left_at = time.perf_counter()

    def load(self, job: bytes) -> None:
        """Load the function that candidates are evaluated by."""
        self._function = load_job(job)

    def free(self) -> Sequence[str]:
        """Return workers without work; one by one, as the driver takes one at a time anyway."""
        return list(self._free)

    def send(self, worker: str, message: bytes) -> None:
        """Begin a candidate at the present moment of the simulation."""
        del self._free[worker]
        seconds = self._rng.choice(self._durations)
        at = self.now + (time.perf_counter() - self._left_at) + seconds + ROUND_TRIP
        heapq.heappush(self._events, (at, worker, seconds, message))

    def wait(self, seconds: float) -> Sequence[Event]:
        """Jump to the next event, unless it is past already, and return every event up to now."""
        spent = time.perf_counter() - self._left_at
        self.driver_seconds += spent
        self.now += spent
        if self._events:
            self.now = max(self.now, self._events[0][0])
        found = []
        while self._events and self._events[0][0] <= self.now:
            _, worker, duration, message = heapq.heappop(self._events)
            if self._rng.random() < 1 - math.exp(-LOSSES_PER_HOUR * duration / 3600):
                self.lost += 1
                self._free[f"{worker}'"] = None
                found.append(Event(worker, "lost", reason="simulated"))
            else:
                self.busy_seconds += duration
                self._free[worker] = None
                found.append(Event(worker, "answer", message=answer_to(self._function, message)))
        # What the workers compute is not the driver's time.
        self._left_at = time.perf_counter()
        return found

    def end(self, worker: str) -> None:
        """Replace a worker; nothing hangs here."""

    def close(self) -> None:
        """End."""


@dataclasses.dataclass(kw_only=True)
class Simulated(SupervisedExecutor):
    """The executor of the simulation."""

    workers: int = option(1, "Number of workers")
    times: str = option("cv-cnn-seconds.txt", "File of measured seconds")

    def make_transport(self, demand: Demand) -> Transport:
        """Return the simulated workers."""
        durations = [float(line) for line in (LISTS / self.times).read_text().split()]
        self.__dict__["transport"] = SimulatedWorkers(self.workers, durations)
        return self.__dict__["transport"]


def measure(workers: int, generation: int, candidates: int) -> dict[str, Any]:
    """Run one search and return its figures."""
    executor, memory = Simulated(workers=workers), Memory()
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        search(
            Digits(),
            score=Hash(),
            strategy=RandomSearch(batch=generation),
            executor=executor,
            budget=candidates,
            device="cpu",
            out=run,
            observers=[memory],
        )
        disk = (run / "study.db").stat().st_size
    transport: SimulatedWorkers = executor.__dict__["transport"]
    return {
        "workers": workers,
        "generation": generation,
        "candidates": candidates,
        "utilisation": transport.busy_seconds / (workers * transport.now),
        "trials_per_second": candidates / transport.now,
        "driver_ms_per_trial": 1000 * transport.driver_seconds / candidates,
        "memory_mb_per_1000": memory.growth(skip=candidates // 10),
        "store_mb_per_1000": disk / 1e3 / candidates,
        "lost_workers": transport.lost,
    }


def main() -> None:
    """Print a row for each number of workers and size of a generation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", default="1,2,10,100,1000,10000")
    parser.add_argument("--candidates", type=int, default=1000, help="at least; two generations otherwise")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for workers in map(int, arguments.workers.split(",")):
        for generation in sorted({min(100_000, max(100, rounds * workers)) for rounds in (0, 4, 16)}):
            rows.append(measure(workers, generation, max(arguments.candidates, 2 * generation)))
            if not arguments.json:
                print(
                    ", ".join(
                        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                        for name, value in rows[-1].items()
                    ),
                    flush=True,
                )
    if arguments.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
