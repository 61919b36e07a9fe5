"""What a second worker process brings, and what the supervisor costs.

    python benchmarks/workers.py [--spaces cv/cnn,cv/vit:tiny,nlp/bert,asr/transformer] [--candidates 24] [--json]

The same architectures are scored in this process, by one worker and by two. Processes are started before the clock.
Wall-clock times mean little while other programs run, so the CPU time of each candidate stands beside them, and the
load of the machine below. The supervisor's cost is the CPU time of this process for each candidate, without any scores.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

from denas_core import Architecture, Executor, Registry, derive_rng
from denas_core.builtin import Process, Serial
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup

SPACES = "cv/cnn,cv/vit:tiny,nlp/bert,asr/transformer"


def sample(setup: Setup, count: int) -> list[Architecture]:
    """Return distinct random architectures."""
    rng, found = derive_rng(0, "benchmark"), dict[str, Architecture]()
    while len(found) < count:
        arch = setup.space.sample(rng)
        found[arch.key] = arch
    return list(found.values())


def timed(executor: Executor, setup: Setup, archs: list[Architecture]) -> dict[str, float]:
    """Return seconds of wall-clock and CPU time for each candidate; the first of each worker is not counted."""
    evaluate = setup.evaluator().evaluate
    executor.open(setup.demand())
    workers = executor.slots
    warm = archs[:workers]
    list(executor.run(evaluate, enumerate(warm)))
    before, own = _cpu_seconds(), time.process_time()
    start = time.perf_counter()
    done = sum(1 for _ in executor.run(evaluate, _numbered(archs[workers:])))
    wall = time.perf_counter() - start
    figures = {
        "wall": wall / done,
        "cpu": (_cpu_seconds() - before) / done,
        "driver_cpu": (time.process_time() - own) / done,
    }
    executor.close()
    return figures


def measure(space: str, candidates: int) -> dict[str, Any]:
    """Return the figures of one space."""
    document = {"space": space, "device": "cpu"}
    setup = Setup.from_config(make_config(document, origin="the benchmark"), Registry.discover())
    archs = sample(setup, candidates)
    serial = timed(Serial(), setup, archs)
    one = timed(Process(workers=1), setup, archs)
    two = timed(Process(workers=2), setup, archs)
    return {
        "space": space,
        "candidates": candidates,
        "serial_cpu_s": serial["cpu"],
        "one_worker_cpu_s": one["cpu"] - one["driver_cpu"],
        "two_workers_cpu_s": two["cpu"] - two["driver_cpu"],
        "serial_wall_s": serial["wall"],
        "one_worker_wall_s": one["wall"],
        "two_workers_wall_s": two["wall"],
        "speedup": one["wall"] / two["wall"],
        "supervisor_ms": 1000 * two["driver_cpu"],
        "load": os.getloadavg()[0],
    }


def _numbered(archs: Iterable[Architecture]) -> Iterator[tuple[int, Architecture]]:
    return iter(enumerate(archs))


def _cpu_seconds() -> float:
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def main() -> None:
    """Print the figures of each space."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--spaces", default=SPACES)
    parser.add_argument("--candidates", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for space in arguments.spaces.split(","):
        rows.append(measure(space, arguments.candidates))
        if not arguments.json:
            for name, value in rows[-1].items():
                print(f"{name:20} {value:.4g}" if isinstance(value, float) else f"{name:20} {value}")
            print(flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
