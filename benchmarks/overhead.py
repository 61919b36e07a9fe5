"""What a trial costs besides its scores: time to commit it, memory to keep it, and time to open a long run again.

    python benchmarks/overhead.py [--trials 10000] [--json]

The space has 20 knobs and the score takes no time, so what is left is the study loop and the store. Start-up is timed
in fresh processes, imports included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from denas_core import Architecture, Batch, Candidate, Knob, ProxyScore, SearchSpace, resume, search
from denas_core.study import Study
from denas_core.trial import Trial

KNOBS = 20


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
    figures = measure(arguments.trials)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    goals = {
        "ms_per_trial": 10.0,
        "seconds_to_open_and_ask": 2.0,
        "memory_mb_per_1000_trials": 1.0,
        "help_seconds": 0.5,
        "plugins_seconds": 0.5,
    }
    for name, value in figures.items():
        print(f"{name:28} {value:10.3f}" + (f"   goal <= {goals[name]:g}" if name in goals else ""))


if __name__ == "__main__":
    main()
