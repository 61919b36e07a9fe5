"""How many trials a second a driver stores whose candidates are evaluated by a Ray cluster.

    python benchmarks/ray_throughput.py [--trials 3000] [--workers 2] [--address auto] [--json]

The score takes no time, so what is left is the way of a candidate to a worker and back, and its commit. The clock
starts after the first trials, when all workers have started. The load of the machine before the start and the
processor time of the driver are printed, too, because other programs slow down the rate and not the processor time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from overhead import Digits

from denas_core import Candidate, ProxyScore, search

FIRST = 200
"""Trials before the clock starts."""


@dataclasses.dataclass(kw_only=True)
class Nothing(ProxyScore):
    """A score that takes no time."""

    def measure(self, candidate: Candidate) -> float:
        return float(candidate.cost()["params"])


class Clock:
    """An observer that notes when trials are stored."""

    def __init__(self) -> None:
        self.stored = 0
        self.began = self.cpu_began = self.ended = self.cpu_ended = 0.0

    def started(self, study: Any) -> None: ...

    def trial_done(self, study: Any, trial: Any) -> None:
        self.stored += 1
        self.ended, self.cpu_ended = time.perf_counter(), _own_seconds()
        if self.stored == FIRST:
            self.began, self.cpu_began = self.ended, self.cpu_ended

    def finished(self, study: Any) -> None: ...


def main() -> int:
    """Search and print the rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=3000, help="number of trials")
    parser.add_argument("--workers", type=int, default=2, help="number of workers")
    parser.add_argument("--address", help="cluster to join; by default one is started")
    parser.add_argument(
        "--executor", default="ray/ray", help="executor to compare with, such as builtin/process"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    executor: dict[str, Any] = {"name": arguments.executor}
    if arguments.executor != "builtin/serial":
        executor["workers"] = arguments.workers
    if arguments.address:
        executor["address"] = arguments.address
    clock, load = Clock(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        search(
            Digits(),
            score=Nothing(),
            strategy={"name": "builtin/random"},
            budget=arguments.trials,
            executor=executor,
            out=Path(folder) / "run",
            observers=[clock],
        )
    timed = clock.stored - FIRST
    found = {
        "executor": arguments.executor,
        "workers": arguments.workers,
        "trials": timed,
        "trials_per_second": timed / (clock.ended - clock.began),
        "driver_cpu_ms_per_trial": 1000 * (clock.cpu_ended - clock.cpu_began) / timed,
        "load_before": load,
        "cores": os.cpu_count(),
    }
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.3g}" if isinstance(value, float) else f"{name:>24}  {value}")
    return 0


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
