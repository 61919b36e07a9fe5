"""Many processes on one run directory at once: one searches, the others are refused, and readers always read."""

from __future__ import annotations

import json
import platform
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

from .toy import Counts, committed, one_line, outcome, search
from .warm import Child, Warm

SECONDS = 300.0
"""How long a process may take to be refused; the goal of 2 s is for an idle machine, and is counted beside."""


def sixteen(rounds: int, *, processes: int = 16) -> Counts:
    """Let processes resume one run at the same moment: one wins, the others leave with 4 and name it."""
    counts: Counts = {"rounds": 0, "refused": 0, "slowest refusal, s": 0.0, "failures": []}
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        run = Path(name) / "run"
        assert warm.run(*search(run, 5)).code == 0
        for number in range(rounds):
            counts["rounds"] += 1
            resume = ["search", "--resume", str(run), "-b", "1000000", "-q"]
            children = [warm.start(*resume, held=True) for _ in range(processes)]
            if number % 2:
                # The owner before was killed, and its name is still there.
                (run / "owner.json").write_text(
                    json.dumps({"pid": 4194304, "host": platform.node(), "since": "1970"})
                )
            for child in children:
                child.send(signal.SIGCONT)
            problem = _judged(children, counts)
            if problem:
                counts["failures"].append(f"round {number}: {problem}")
    return counts


def readers(seconds: float, *, count: int = 4) -> Counts:
    """Read a run again and again while a search writes it."""
    counts: Counts = {"readers": count, "reads": 0, "trials read at most": 0, "failures": []}
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        run = Path(name) / "run"
        writer = warm.start(*search(run, 1_000_000))
        while not committed(run):
            time.sleep(0.01)
        end = time.monotonic() + seconds
        while not counts["reads"] or time.monotonic() < end:
            for child in [warm.start("trials", str(run), "--json") for _ in range(count)]:
                done = child.wait()
                counts["reads"] += 1
                if done.code:
                    counts["failures"].append(f"exit {done.code}: {done.err[-300:]}")
                    continue
                found = [row["index"] for row in json.loads(done.out)["trials"]]
                counts["trials read at most"] = max(len(found), counts["trials read at most"])
                if found != list(range(len(found))):
                    counts["failures"].append("trials are missing")
        writer.send(signal.SIGINT)
        ended = writer.wait()
        if ended.code != 130:
            counts["failures"].append(f"the writer ends with {ended.code}: {ended.err[-300:]}")
    return counts


def beginners(rounds: int, *, processes: int = 8) -> Counts:
    """Let processes begin a run in one new directory at the same moment: one wins, and its run is whole."""
    counts: Counts = {"rounds": 0, "refused": 0, "failures": []}
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        whole = Path(name) / "whole"
        assert warm.run(*search(whole, 5)).code == 0
        for number in range(rounds):
            run = Path(name) / "run"
            counts["rounds"] += 1
            children = [warm.start(*search(run, 5), held=True) for _ in range(processes)]
            for child in children:
                child.send(signal.SIGCONT)
            ended = [child.wait() for child in children]
            codes = sorted(done.code for done in ended)
            counts["refused"] += processes - codes.count(0)
            # A late process finds a run, and its error says how to resume the run.
            wrong = [done for done in ended if done.code and not (done.code in (2, 4) and one_line(done))]
            if codes.count(0) != 1 or wrong or outcome(run) != outcome(whole):
                counts["failures"].append(f"round {number}: {codes} {[done.err[-200:] for done in wrong]}")
            shutil.rmtree(run, ignore_errors=True)
    return counts


def _judged(children: list[Child], counts: Counts) -> str:
    start = time.monotonic()
    waiting = list(children)
    while len(waiting) > 1 and time.monotonic() < start + SECONDS:
        waiting = [child for child in waiting if not child.is_over()]
        time.sleep(0.01)
    counts["slowest refusal, s"] = round(max(counts["slowest refusal, s"], time.monotonic() - start), 2)
    for child in waiting:
        child.send(signal.SIGINT)
    winners = [child for child in waiting if child.wait().code == 130]
    refused = [child.wait() for child in children if child not in waiting]
    counts["refused"] += len(refused)
    if len(waiting) != 1 or len(winners) != 1:
        return f"{len(waiting)} went on, {len(winners)} of them stopped well"
    for done in refused:
        owner = re.search(r"in use by process (\d+) on ", done.err)
        if done.code != 4 or not one_line(done) or owner is None or int(owner[1]) != winners[0].pid:
            return f"exit {done.code}: {done.err[-300:]}"
    return ""
