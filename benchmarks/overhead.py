"""What a trial costs besides its scores: time to commit it, memory to keep it, and time to open a long run again.

    python benchmarks/overhead.py [--trials 10000] [--json]

The space has 20 knobs and the score takes no time, so what is left is the study loop and the store. Start-up is timed
in fresh processes, imports included.

What keeps a plugin's code from harming the next one (guard, seal, options) is timed by the clock of this process around
each of its calls, while the DE-Score of the candidates of ``architectures/cv-cnn.txt`` is computed as a search does.
The difference of two runs, with it and without it, would be lost in the noise of this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from denas_core import Architecture, Batch, Candidate, Knob, ProxyScore, Registry, SearchSpace, resume, search
from denas_core.contracts import candidate
from denas_core.evaluation import evaluator, kept_options
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.study.study import Study
from denas_core.values.trial import Trial

KNOBS = 20
GUARD_ROUNDS = 3


@dataclasses.dataclass(kw_only=True)
class Digits(SearchSpace):
    """Networks that are never built."""

    def knobs(self) -> tuple[Knob, ...]:
        return tuple(Knob(f"layer{i}.digit", tuple(range(1, 10)), layer=i) for i in range(KNOBS))

    def cost(self, arch: Architecture) -> dict[str, float]:
        params = sum(int(value) * 1000 for value in arch.values.values())
        return {"params": params, "trainable_params": params, "flops": 2 * params, "size_mb": 4e-6 * params}

    def build(self, arch: Architecture, **kwargs: Any) -> Any:
        raise AssertionError("digits are never built")

    def batch(self, size: int, **kwargs: Any) -> Batch:
        raise AssertionError("digits take no input")


@dataclasses.dataclass(kw_only=True)
class Hash(ProxyScore):
    """A number at no cost."""

    def measure(self, candidate: Candidate) -> float:
        return float(int(candidate.arch.key[:8], 16))


class Memory:
    """Resident memory of this process, sampled every 100 trials."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, float]] = []

    def started(self, study: Study) -> None: ...

    def trial_done(self, study: Study, trial: Trial) -> None:
        if trial.index % 100 == 0:
            self.samples.append((trial.index, _resident_mb()))

    def finished(self, study: Study) -> None: ...

    def growth(self, *, skip: int) -> float:
        """Return MB a 1,000 trials by the median of pairwise slopes (Theil-Sen), the first `skip` trials left out."""
        points = [sample for sample in self.samples if sample[0] >= skip]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1 :]]
        return 1000 * statistics.median(slopes)


def measure(trials: int) -> dict[str, float]:
    """Return the figures by name."""
    objects = {"space": Digits(), "score": Hash()}
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        memory = Memory()
        files = _open_files()
        start = time.perf_counter()
        search(**objects, budget=trials, device="cpu", out=run, observers=[memory])  # type: ignore[arg-type]
        whole = time.perf_counter() - start
        start = time.perf_counter()
        # One trial more: opens the run, ranks it, asks for a generation, evaluates and writes the result.
        resume(run, budget=trials + 1, objects=objects)
        reopened = time.perf_counter() - start
        files = _open_files() - files
        size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    return {
        "trials": trials,
        "ms_per_trial": 1000 * whole / trials,
        "seconds_to_open_and_ask": reopened,
        "memory_mb_per_1000_trials": memory.growth(skip=min(1000, trials // 10)),
        "open_files_growth": files,
        "disk_mb": size / 1e6,
        "help_seconds": _command_seconds("--help"),
        "plugins_seconds": _command_seconds("plugins"),
    }


def measure_guard() -> dict[str, float]:
    """Return CPU-milliseconds a candidate of what stands around a plugin's code, and their share; medians."""
    # Only here: the figures of the study loop are those of a process without torch.
    import torch
    from throughput import LISTS, read_architectures

    torch.set_num_threads(1)
    registry = Registry.discover()
    config = make_config(
        {"space": {"name": "cv/cnn", "classes": 100}, "device": "cpu"}, origin="the benchmark"
    )
    setup = Setup.from_config(config, registry)
    evaluate = setup.evaluator().evaluate
    milliseconds, shares = [], []
    with timed_guard() as spent:
        for arch in read_architectures(setup.space, LISTS / "cv-cnn.txt"):
            evaluate(arch)
            for _ in range(GUARD_ROUNDS):
                spent.clear()
                start = time.process_time()
                evaluate(arch)
                whole = time.process_time() - start
                milliseconds.append(1000 * sum(spent))
                shares.append(100 * sum(spent) / whole)
    return {
        "guard_ms_per_candidate": statistics.median(milliseconds),
        "guard_percent": statistics.median(shares),
    }


@contextlib.contextmanager
def timed_guard() -> Iterator[list[float]]:
    """Collect the CPU-seconds of every outermost call into guard, seal and kept options."""
    from denas_core.passes import seal

    spent: list[float] = []
    running = [0]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            running[0] += 1
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                running[0] -= 1
                if not running[0]:
                    spent.append(time.process_time() - start)

        return call

    def timed_context(make: Callable[..., Any]) -> Callable[..., Any]:
        """Time entering and leaving, and not the work between them."""

        @contextlib.contextmanager
        def context(*arguments: Any, **options: Any) -> Iterator[Any]:
            inner = make(*arguments, **options)
            value = timed(inner.__enter__)()
            # What runs inside is timed by itself.
            depth, running[0] = running[0], 0
            try:
                yield value
            finally:
                running[0] = depth
                timed(inner.__exit__)(None, None, None)

        return context

    replaced = [
        *((seal.Seal, name, timed) for name in ("watch_network", "watch_trace", "broken")),
        *((kept_options.KeptOptions, name, timed) for name in ("__init__", "restore")),
        (evaluator, "guarded", timed_context),
        (candidate, "as_before_the_call", timed_context),
    ]
    with contextlib.ExitStack() as stack:
        for owner, name, wrap in replaced:
            stack.enter_context(unittest.mock.patch.object(owner, name, wrap(getattr(owner, name))))
        yield spent


def _command_seconds(argument: str, runs: int = 7) -> float:
    command = [sys.executable, "-c", "from denas_core.cli import main; main()", argument]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _open_files() -> int:
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:
        return 0


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Print the figures beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = {**measure(arguments.trials), **measure_guard()}
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    goals = {
        "ms_per_trial": 10.0,
        "seconds_to_open_and_ask": 2.0,
        "memory_mb_per_1000_trials": 1.0,
        "help_seconds": 0.5,
        "plugins_seconds": 0.5,
        "guard_percent": 2.0,
    }
    for name, value in figures.items():
        print(f"{name:28} {value:10.3f}" + (f"   goal <= {goals[name]:g}" if name in goals else ""))


if __name__ == "__main__":
    main()
