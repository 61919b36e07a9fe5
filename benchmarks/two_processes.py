"""Trainings of two processes, one after the other on a busy machine: does each of them end?

    python benchmarks/two_processes.py [--runs 100] [--busy 2] [--nice 19] [--timeout 600] [--log FILE]

Each run is a line of the log, so that a script that was stopped goes on where it was. A run that has not ended after
the timeout counts as hung: what its processes do is printed, if py-spy is installed, and the script stops with 1. So it
does for a run that fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "tests" / "core" / "training" / "plugin"
SETTINGS = {"accumulate": 2, "checkpoint_steps": 4, "clip": 1.0}


def main() -> int:
    """Train until the log has as many runs as are wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="runs in the log at the end")
    parser.add_argument("--busy", type=int, default=2, help="processes that keep the processors busy")
    parser.add_argument("--nice", type=int, default=19, help="how far the priority of all of it is lowered")
    parser.add_argument("--timeout", type=float, default=600, help="seconds after which a run counts as hung")
    parser.add_argument("--log", type=Path, default=Path("two_processes.jsonl"))
    given = parser.parse_args()
    os.nice(given.nice)
    with tempfile.TemporaryDirectory() as name, busy(given.busy):
        folder = Path(name)
        data = write_points(folder / "points.txt")
        while (done := len(outcomes(given.log))) < given.runs:
            began = time.monotonic()
            outcome = train(data, folder / f"run-{done}", given.timeout)
            row = {
                "outcome": outcome,
                "seconds": round(time.monotonic() - began, 1),
                "load": os.getloadavg()[0],
            }
            with given.log.open("a") as file:
                file.write(json.dumps(row) + "\n")
            if outcome != "ended":
                return 1
            shutil.rmtree(folder / f"run-{done}")
    rows = outcomes(given.log)
    ended = sum(row["outcome"] == "ended" for row in rows)
    seconds = statistics.median(row["seconds"] for row in rows)
    loads = [row["load"] for row in rows]
    print(
        f"{len(rows)} runs, {ended} ended; median of {seconds:.0f} s, load {min(loads):.0f} to {max(loads):.0f}"
    )
    return 0


def train(data: Path, out: Path, timeout: float) -> str:
    """Return how a training of two processes ended: ``ended``, ``hung`` or its exit code and last line."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "denas_core.cli", "train", "points/mlp", "--arch", '{"depth": 2, "width": 8}']
    command += [
        "--data",
        str(data),
        "--device",
        "cpu",
        "--out",
        str(out),
        "--epochs",
        "3",
        "--batch-size",
        "20",
    ]
    for setting, value in SETTINGS.items():
        command += ["--set", f"training.{setting}={value}"]
    path = os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        show_processes(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        print(process.communicate()[0])
        return "hung"
    if process.returncode or not (out / "result.json").exists():
        print(output)
        return f"exit {process.returncode}"
    return "ended"


def show_processes(group: int) -> None:
    """Print the stack of each process of a group, if py-spy is installed."""
    listed = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False)
    for process in listed.stdout.split():
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["py-spy", "dump", "--native", "--pid", process], check=False)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep processors busy."""
    loop = "import os\nwhile os.getppid() != 1: sum(range(100000))"
    processes = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def outcomes(log: Path) -> list[dict[str, Any]]:
    """Return the runs of a log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def write_points(path: Path) -> Path:
    """Write 200 points on both sides of a parabola."""
    rng = random.Random(0)
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(200)]
    path.write_text("\n".join(f"{x} {y} {int(y > x * x - 0.4)}" for x, y in points))
    return path


if __name__ == "__main__":
    sys.exit(main())
