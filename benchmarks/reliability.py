"""Everything that may happen to a run, done to it: kills, full disks, damage, crowds, interrupts.

    python benchmarks/reliability.py [--long] [--only NAME] [--write docs/reliability.md] [--keep FILE] [--json]

The searches are of a space without torch, so that hundreds of them take minutes. Every experiment returns counts; what
must never happen is listed under ``failures``, and what took longer than its goal under ``late``. Both make this script
exit with 1; a test, on a machine that does other things too, looks at the failures alone. With --keep, an experiment
that has been measured is not measured again, so that the long form, which takes an hour, can be stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "toy")]

from benchmarks.faults import crowd, damage, signals, syscalls, workers  # noqa: E402  (found by the line above)
from benchmarks.faults.toy import Counts  # noqa: E402

MARKS = ("<!-- measured by benchmarks/reliability.py -->", "<!-- /measured -->")
SHOWN = 5
"""Failures that are printed of each experiment."""


def traced(experiment: Callable[[], Counts]) -> Counts:
    """Run an experiment that needs strace, or say that it is left out."""
    if not syscalls.is_traceable():
        return {"left out": "strace is missing or may not attach", "failures": []}
    return experiment()


def memory(trials: int) -> Counts:
    """Measure what a driver's memory and open files grow by in a long search."""
    script = [sys.executable, str(ROOT / "benchmarks" / "overhead.py"), "--trials", str(trials), "--json"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    growth = round(figures["memory_mb_per_1000_trials"], 2)
    failures = [] if growth < 1 else [f"memory grows by {growth} MB in 1,000 trials; the goal is 1"]
    if figures["open_files_growth"]:
        failures.append(f"{figures['open_files_growth']} files stay open")
    return {
        "trials": trials,
        "MB per 1,000 trials": growth,
        "files left open": figures["open_files_growth"],
        "failures": failures,
    }


LISTS = ("failures", "late")
"""Those counts that are lists of lines."""

Experiment = tuple[str, Callable[[bool], Counts]]

EXPERIMENTS: dict[str, Experiment] = {
    "kill": (
        "`kill -9` at random moments, resumed",
        lambda long: signals.killed(300 if long else 10),
    ),
    "kill-calls": (
        "`kill -9` at every system call that makes something last",
        lambda long: traced(lambda: syscalls.kill_everywhere(every=1 if long else 30)),
    ),
    "enospc": (
        "no space left at every such call",
        lambda long: traced(lambda: syscalls.fail_everywhere("ENOSPC", every=1 if long else 30)),
    ),
    "eio": (
        "input/output error at every such call",
        lambda long: traced(lambda: syscalls.fail_everywhere("EIO", every=1 if long else 30)),
    ),
    "repair-kill-calls": (
        "a repair killed at every such call",
        lambda long: traced(lambda: syscalls.kill_everywhere(syscalls.Repairing, every=1 if long else 60)),
    ),
    "repair-enospc": (
        "no space left at every such call of a repair",
        lambda long: traced(
            lambda: syscalls.fail_everywhere("ENOSPC", syscalls.Repairing, every=1 if long else 60)
        ),
    ),
    "torn": (
        "store and log cut at every byte of their last pages",
        lambda long: damage.torn(every=1 if long else 512),
    ),
    "flips": ("one bit flipped in store or log", lambda long: damage.flipped(10_000 if long else 150)),
    "repair": ("damaged, repaired, resumed", lambda long: damage.repaired(100 if long else 4)),
    "crowd": (
        "16 processes resume one run at once",
        lambda long: crowd.sixteen(20 if long else 2),
    ),
    "beginners": (
        "8 processes begin one run at once",
        lambda long: crowd.beginners(20 if long else 2),
    ),
    "readers": ("4 readers during a search", lambda long: crowd.readers(20 if long else 2)),
    "interrupt": (
        "Ctrl-C, SIGTERM, SIGHUP at random moments",
        lambda long: signals.interrupted(50 if long else 5),
    ),
    "workers": (
        "`kill -9` of workers, of the search, and of both",
        lambda long: workers.killed(1000 if long else 8),
    ),
    "hung": ("candidates that hang in C", lambda long: workers.hung(20 if long else 2)),
    "interrupt-workers": (
        "Ctrl-C, once or twice, while workers run",
        lambda long: workers.interrupted(50 if long else 4),
    ),
    "memory": ("a long search", lambda long: memory(20_000 if long else 4_000)),
}


def measure(name: str, *, long: bool) -> dict[str, Any]:
    """Run one experiment and return its counts, with the seconds it took; one that breaks off is a failure too."""
    start = time.perf_counter()
    try:
        counts = EXPERIMENTS[name][1](long)
    except Exception as error:
        counts = {"failures": [f"broken off: {type(error).__name__}: {error}"]}
    return {**counts, "seconds": round(time.perf_counter() - start)}


def faults_of(counts: dict[str, Any]) -> list[str]:
    """Return what must not have happened in an experiment, and what took too long."""
    return [line for key in LISTS for line in counts.get(key, [])]


def as_markdown(measured: dict[str, dict[str, Any]], *, long: bool) -> str:
    """Return the table that goes into the document."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}, {platform.machine()}"
    lines = [
        f"{'Long' if long else 'Quick'} form, {time.strftime('%Y-%m-%d')}, on top of commit "
        f"{commit.stdout.strip() or 'unknown'}; {machine}, Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version}.",
        "",
        "| experiment | counts | failures | seconds |",
        "|---|---|---|---|",
    ]
    for name, counts in measured.items():
        shown = ", ".join(
            f"{key}: {value}" for key, value in counts.items() if key not in (*LISTS, "seconds")
        )
        failed = "-" if "left out" in counts else len(faults_of(counts))
        lines.append(f"| {EXPERIMENTS[name][0]} | {shown} | {failed} | {counts['seconds']} |")
    return "\n".join(lines) + "\n"


def write(document: Path, table: str) -> None:
    """Put the table between the marks of a document."""
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, mark, after = rest.partition(MARKS[1])
    if not mark:
        raise SystemExit(f"{document} does not hold the marks {MARKS[0]} and {MARKS[1]}")
    document.write_text(f"{before}{MARKS[0]}\n{table}{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Run the experiments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="a minute; the default")
    form.add_argument("--long", action="store_true", help="a quarter of an hour or more")
    parser.add_argument("--only", metavar="NAME", action="append", choices=list(EXPERIMENTS))
    parser.add_argument("--write", metavar="FILE", type=Path, help="document whose table is replaced")
    parser.add_argument(
        "--keep", metavar="FILE", type=Path, help="where what is measured is kept, and read again"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kept = arguments.keep
    known = json.loads(kept.read_text(encoding="utf-8")) if kept is not None and kept.exists() else {}
    measured: dict[str, dict[str, Any]] = {}
    for name in arguments.only or EXPERIMENTS:
        measured[name] = known[name] if name in known else measure(name, long=arguments.long)
        if kept is not None:
            kept.write_text(json.dumps({**known, **measured}, indent=2), encoding="utf-8")
        failures = faults_of(measured[name])
        if not arguments.json:
            counts = {key: value for key, value in measured[name].items() if key not in LISTS}
            print(f"{name:12} {len(failures)} failures  {counts}", flush=True)
            for failure in failures[:SHOWN]:
                print(f"    {failure}", flush=True)
    if arguments.json:
        print(json.dumps(measured, indent=2))
    if arguments.write is not None:
        write(arguments.write, as_markdown(measured, long=arguments.long))
    raise SystemExit(any(map(faults_of, measured.values())))


if __name__ == "__main__":
    main()
