"""Kills of workers, of their search and of both, candidates that hang, and Ctrl-C while workers run."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import psutil

from .toy import Counts, committed, outcome, search, trials
from .warm import Child, Warm

BUDGET = 60
PROCESSES = ("--executor", "builtin/process", "--set", "executor.workers=2")
PAUSE = ("--set", "score.pause=0.02")
DEADLINE = 1.0
SECONDS_TO_END = 60.0
"""A process that has not ended after this time is left over."""
TRIALS_BETWEEN_KILLS = 6
SECONDS_TO_REPLACE = 5.0
"""Goal for a hung worker: replaced this many seconds after its deadline."""


def killed(count: int) -> Counts:
    """Kill the search, one of its workers, or both at random moments until `count` kills have hit; then let it end.

    Kills of workers during one search are further apart than two attempts at a candidate, as a candidate whose workers
    are killed twice fails by design.
    """
    hit: collections.Counter[str] = collections.Counter()
    counts: Counts = {"kills": 0, "runs": 0, "failures": []}
    rng = random.Random(5)
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        whole, run = Path(name) / "whole", Path(name) / "run"
        assert warm.run(*search(whole, BUDGET, "--executor", "builtin/serial")).code == 0
        reference = outcome(whole)
        while counts["kills"] < count:
            counts["runs"] += 1
            for _ in range(rng.randint(1, 4)):
                for what in _disturbed(warm, run, rng):
                    hit[what] += 1
                    counts["kills"] += 1
            begun = (run / "study.db").exists()
            again = warm.run(*(_resume(run) if begun else search(run, BUDGET, *PROCESSES)))
            if again.code != 0 or outcome(run) != reference:
                counts["failures"].append(f"run {counts['runs']}: exit {again.code}: {again.err[-300:]}")
            shutil.rmtree(run)
    return counts | {f"killed {what}": number for what, number in hit.items()}


def _disturbed(warm: Warm, run: Path, rng: random.Random) -> list[str]:
    """Start or resume the search, kill what the dice say, and return what was alive when it was killed."""
    begun = (run / "study.db").exists()
    child = warm.start(*(_resume(run) if begun else search(run, BUDGET, *PROCESSES, *PAUSE)))
    killed: list[str] = []
    workers: list[psutil.Process] = []
    end = time.monotonic() + rng.uniform(0.1, 2.5)
    while time.monotonic() < end and not child.is_over():
        time.sleep(rng.uniform(0.2, 0.5))
        workers = _workers(child)
        # The youngest, since the other one may have the candidate of the last that was killed.
        if workers and rng.random() < 0.7 and _kill(max(workers, key=_started_at).pid):
            killed.append("worker")
            _wait_for_trials(child, run)
    if rng.random() < 0.7:
        child.send(signal.SIGKILL)
        if child.wait().code == -signal.SIGKILL:
            killed.append("search")
    elif not child.is_over():
        child.send(signal.SIGINT)
        child.wait()
    _, alive = psutil.wait_procs(workers, timeout=SECONDS_TO_END)
    if alive:
        raise RuntimeError(f"{len(alive)} workers outlive their search")
    return killed


def hung(count: int) -> Counts:
    """Let candidates hang in C with the interpreter's lock, and measure how late the search goes on."""
    counts: Counts = {"hung": 0, "runs": 0, "slowest replacement, s": 0.0, "failures": [], "late": []}
    options = (*PROCESSES, "--set", f"executor.deadline={DEADLINE}", "--set", "score.hanging=12")
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        while counts["hung"] < count:
            run = Path(name) / f"run{counts['runs']}"
            counts["runs"] += 1
            child = warm.start(*search(run, 30, *options, "--seed", str(counts["runs"])))
            last, done, slowest = time.monotonic(), 0, 0.0
            while not child.is_over():
                time.sleep(0.05)
                if (now := committed(run)) > done:
                    slowest, last, done = max(slowest, time.monotonic() - last), time.monotonic(), now
            ended = child.wait()
            late = [t for t in trials(run) if t.evaluation.reason.startswith("timed out")]
            counts["hung"] += len(late)
            slowest = round(max(0.0, slowest - DEADLINE), 2)
            counts["slowest replacement, s"] = max(counts["slowest replacement, s"], slowest)
            if ended.code != 0 or not late:
                counts["failures"].append(f"exit {ended.code}, {len(late)} hung: {ended.err[-300:]}")
            if slowest > SECONDS_TO_REPLACE:
                counts["late"].append(f"the search went on {slowest} s after a deadline")
    return counts


def interrupted(count: int) -> Counts:
    """Send Ctrl-C while workers run, and for some a second one: the search ends in time and leaves no process."""
    counts: Counts = {
        "signals": 0,
        "slowest end, s": 0.0,
        "slowest after a second one, s": 0.0,
        "failures": [],
        "late": [],
    }
    rng = random.Random(6)
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        for number in range(count):
            run = Path(name) / f"run{number}"
            # In every fourth search, a candidate takes longer than the time that running candidates are given.
            pause = "score.pause=30" if number % 4 == 2 else "score.pause=0.05"
            child = warm.start(*search(run, 1_000_000, *PROCESSES, "--set", pause))
            while not _workers(child) and not child.is_over():
                time.sleep(0.02)
            time.sleep(rng.uniform(0.0, 1.5))
            workers = _workers(child)
            start, twice = time.monotonic(), number % 2 == 1
            child.send(signal.SIGINT)
            if twice:
                time.sleep(rng.uniform(0.05, 0.5))
                start = time.monotonic()
                child.send(signal.SIGINT)
            ended = child.wait()
            seconds, key = time.monotonic() - start, "slowest end, s"
            if twice:
                key = "slowest after a second one, s"
            counts[key] = round(max(counts[key], seconds), 2)
            counts["signals"] += 1
            _, alive = psutil.wait_procs(workers, timeout=SECONDS_TO_END)
            if ended.code != 130 or alive:
                counts["failures"].append(f"exit {ended.code}, {len(alive)} workers left: {ended.err[-300:]}")
            if seconds > (2 if twice else 10):
                counts["late"].append(f"the search ended {seconds:.1f} s after its signal")
            shutil.rmtree(run, ignore_errors=True)
    return counts


def _resume(run: Path) -> list[str]:
    return ["search", "--resume", str(run), "-q"]


def _workers(child: Child) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(child.pid).children()
    return []


def _started_at(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        return float(process.create_time())
    return 0.0


def _wait_for_trials(child: Child, run: Path) -> None:
    """Wait until the candidate of a worker that was killed has most probably been evaluated again."""
    before = committed(run)
    while committed(run) < before + TRIALS_BETWEEN_KILLS and not child.is_over():
        time.sleep(0.05)


def _kill(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
