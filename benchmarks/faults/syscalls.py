"""Every system call that makes something last is, in turn, the moment of a kill or of a disk that refuses."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .toy import Counts, Outcome, committed, go_on, one_line, outcome, search
from .warm import Done, Warm

BUDGET = 10
CALLS = (
    *("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate"),
    *("unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "mkdir", "mkdirat"),
)
Point = tuple[str, int]
"""A system call and its number in the run, from 1."""


def is_traceable() -> bool:
    """Tell whether strace is there and may attach to processes here."""
    if shutil.which("strace") is None:
        return False
    try:
        with subprocess.Popen(["sleep", "5"]) as sleeper:
            attempt = subprocess.Popen(
                ["strace", "-p", str(sleeper.pid)],
                stderr=subprocess.PIPE,
                text=True,
                stdout=subprocess.DEVNULL,
            )
            assert attempt.stderr is not None
            attached = "attached" in attempt.stderr.readline()
            attempt.terminate()
            attempt.communicate()
            sleeper.kill()
            return attached
    except OSError:
        return False


def traced(warm: Warm, arguments: list[str], *options: str) -> Done:
    """Run a command under strace with `options`."""
    child = warm.start(*arguments, held=True)
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(child.pid), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    while "attached" not in (line := tracer.stderr.readline()):
        if not line:
            child.send(signal.SIGKILL)
            child.wait()
            raise RuntimeError("strace did not attach")
    child.send(signal.SIGCONT)
    done = child.wait()
    tracer.communicate()
    return done


def log_of(warm: Warm, arguments: list[str], log: Path, *calls: str) -> list[str]:
    """Return the lines of a strace log of a command, in order, paths of descriptors written out."""
    done = traced(warm, arguments, "-y", "-o", str(log), "-e", f"trace={','.join(calls)}")
    assert done.code == 0, done.err
    return log.read_text().splitlines()


def points(lines: list[str]) -> list[Point]:
    """Return the points of a log at which something is made to last: calls of `CALLS`, and files that are created."""
    counts: dict[str, int] = {}
    found = []
    for line in lines:
        match = re.match(r"\d+ +(\w+)\(", line)
        if match is None:
            continue
        call = match.group(1)
        counts[call] = counts.get(call, 0) + 1
        if call in CALLS or "O_CREAT" in line:
            found.append((call, counts[call]))
    return found


def kill_everywhere(*, every: int = 1) -> Counts:
    """Kill a search, from its creation to its result, at every such call, and go on.

    Args:
        every: Take each so many-th point.
    """
    return _everywhere("signal=KILL", every=every)


def fail_everywhere(error: str, *, every: int = 1) -> Counts:
    """Let every such call fail with `error`: the search ends with one line and exit code 6, or did not need it."""
    return _everywhere(f"error={error}", every=every)


def _everywhere(fault: str, *, every: int) -> Counts:
    counts: Counts = {"points": 0, "of": 0, "stopped": 0, "not needed": 0, "failures": []}
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        directory = Path(name)
        whole = directory / "whole"
        lines = log_of(warm, search(whole, BUDGET), directory / "log", *CALLS, "openat")
        reference = outcome(whole)
        everything = points(lines)
        counts["of"] = len(everything)
        for point in everything[::every]:
            run = directory / "run"
            counts["points"] += 1
            problem = _at(warm, point, fault, run, reference, counts)
            if problem:
                counts["failures"].append(f"{fault} at {point[0]} {point[1]}: {problem}")
            shutil.rmtree(run, ignore_errors=True)
    return counts


def _at(warm: Warm, point: Point, fault: str, run: Path, reference: Outcome, counts: Counts) -> str:
    call, number = point
    inject = f"inject={call}:{fault}:when={number}"
    done = traced(warm, search(run, BUDGET), "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    if "Traceback" in done.err:
        return f"a traceback: {done.err[-300:]}"
    if "KILL" in fault:
        if done.code != -signal.SIGKILL:
            return f"exit {done.code} instead of a kill"
    elif done.code not in (0, 6):
        return f"exit {done.code}: {done.err[-300:]}"
    elif done.code == 6 and not one_line(done):
        return f"not one line: {done.err[-300:]}"
    counts["stopped" if done.code else "not needed"] += 1
    before = committed(run)
    again = go_on(warm, run, BUDGET)
    if again.code != 0:
        return f"going on ends with {again.code}: {again.err[-300:]}"
    if outcome(run) != reference:
        return f"another result after {before} trials"
    left = [file.name for file in run.glob(".*.tmp*")]
    return f"left behind: {left}" if left else ""
