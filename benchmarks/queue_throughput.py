"""How many trials a second one search feeds to workers that share a directory with it, told and committed.

    python benchmarks/queue_throughput.py [--workers 0 --workers 1] [--processes 4] [--trials 1000] [--json]

The score takes no time, so what is left is the queue, the search loop and the store. Without workers, the search does
everything in its own process (`builtin/serial`), which shows what the machine allows. The rate is from the first commit
to the last one, so that start-up does not count. `cpu_ms` is what the search itself computes for a trial, which does
not depend on how busy the machine is: its inverse is the rate that one search can reach. The rest of the time is spent
waiting, for workers and for the disk.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.launch import run_search
from denas_core.registry.registry import Registry
from denas_core.setup.config import make_config
from denas_core.study.study import Study
from denas_core.values.trial import Trial

TOY = Path(__file__).parents[1] / "tests" / "toy"


class Clock:
    """Times the commits of a search."""

    def __init__(self) -> None:
        self.moments: list[tuple[float, float]] = []

    def started(self, study: Study) -> None:
        """Do nothing."""

    def trial_done(self, study: Study, trial: Trial) -> None:
        """Take the time."""
        self.moments.append((time.perf_counter(), time.process_time()))

    def finished(self, study: Study) -> None:
        """Do nothing."""


def main() -> None:
    """Print one line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--workers", type=int, action="append", help="`denas worker` commands; may be repeated"
    )
    parser.add_argument("--processes", type=int, default=4, help="processes of each")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--directory", type=Path, help="shared directory; by default a temporary one")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sys.path.insert(0, str(TOY))
    for workers in given.workers or [0, 1]:
        row = measure(workers, given.processes, given.trials, given.directory)
        print(json.dumps(row) if given.json else "  ".join(f"{name} {value}" for name, value in row.items()))


def measure(workers: int, processes: int, trials: int, directory: Path | None) -> dict[str, Any]:
    """Return the rate of a search of the toy space by so many workers."""
    clock = Clock()
    with tempfile.TemporaryDirectory(dir=directory) as name:
        shared = Path(name, "shared")
        shared.mkdir(mode=0o700)
        config = make_config(
            {
                "space": "toy/stairs",
                "score": "toy/both",
                "strategy": "builtin/random",
                "device": "cpu",
                "budget": trials,
                "out": str(Path(name, "run")),
                "executor": {"name": "builtin/queue", "directory": str(shared)}
                if workers
                else "builtin/serial",
            },
            origin="benchmark",
        )
        with working(shared, workers, processes):
            run_search(config, Registry.discover(), observers=[clock])
    (began, computed), (ended, computed_all) = clock.moments[0], clock.moments[-1]
    count = len(clock.moments) - 1
    return {
        "workers": workers,
        "processes": workers * processes,
        "trials": trials,
        "per_second": round(count / (ended - began), 1),
        "cpu_ms": round(1000 * (computed_all - computed) / count, 2),
        "load": round(os.getloadavg()[0], 1),
        "cores": len(os.sched_getaffinity(0)),
    }


@contextlib.contextmanager
def working(shared: Path, workers: int, processes: int) -> Iterator[None]:
    """Run workers beside the search."""
    code = "from denas_core.cli import main; main()"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, "worker", str(shared), "--workers", str(processes)],
            env={**os.environ, "PYTHONPATH": str(TOY), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.DEVNULL,
        )
        for _ in range(workers)
    ]
    try:
        yield
    finally:
        for worker in started:
            worker.terminate()
            worker.wait()


if __name__ == "__main__":
    main()
