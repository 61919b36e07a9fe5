"""Every system call that makes something last is, in turn, the moment of a kill or of a disk that refuses."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from .damage import Specimen, read_files, write_files
from .toy import Counts, committed, go_on, one_line, outcome, search, trials
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


class Searching:
    """A search, from its creation to its result; resumed, or begun again, it ends as one that nothing hit."""

    def __init__(self, warm: Warm, _directory: Path) -> None:
        self._warm = warm

    def prepare(self, run: Path) -> list[str]:
        """Set the scene at `run`, and return the arguments of the command that is hit."""
        return search(run, BUDGET)

    def go_on(self, run: Path) -> str:
        """Do what a user does after the fault; return what is wrong then, or an empty text."""
        again = go_on(self._warm, run, BUDGET)
        return f"going on ends with {again.code}: {again.err[-300:]}" if again.code else ""


class Repairing:
    """A repair of a killed and damaged run, half of it in its log; another one keeps as much as if nothing hit."""

    def __init__(self, warm: Warm, directory: Path) -> None:
        self._warm = warm
        self._run = directory / "damaged"
        assert warm.run(*search(self._run, BUDGET)).code == 0
        self._whole = len(trials(self._run)) - 1
        store = self._run / "study.db"
        write_files(store, Specimen(directory, self._run).killed)
        connection = sqlite3.connect(store)
        with connection:
            connection.execute(f"UPDATE trial SET generation = 99 WHERE idx = {self._whole}")
        self._files = read_files(store)
        connection.close()
        write_files(store, self._files)
        assert "-wal" in self._files

    def prepare(self, run: Path) -> list[str]:
        """Set the scene; see `Searching`."""
        shutil.copytree(self._run, run)
        return ["repair", str(run)]

    def go_on(self, run: Path) -> str:
        """Repair again and resume; see `Searching`."""
        again = self._warm.run("repair", str(run))
        if again.code:
            return f"another repair ends with {again.code}: {again.err[-300:]}"
        if (kept := committed(run)) != self._whole:
            return f"{kept} trials are kept, not {self._whole}"
        if read_files(run / "study.db.damaged-1") != self._files:
            return "the damaged files are not kept as they were"
        done = self._warm.run("search", "--resume", str(run), "-q")
        return f"resuming ends with {done.code}: {done.err[-300:]}" if done.code else ""


Scene = type[Searching] | type[Repairing]


def kill_everywhere(scene: Scene = Searching, *, every: int = 1) -> Counts:
    """Kill a command at every such call, and go on.

    Args:
        scene: The command.
        every: Take each so many-th point.
    """
    return _everywhere(scene, "signal=KILL", every=every)


def fail_everywhere(error: str, scene: Scene = Searching, *, every: int = 1) -> Counts:
    """Let every such call fail with `error`: the command ends with one line and exit code 6, or did not need it."""
    return _everywhere(scene, f"error={error}", every=every)


def _everywhere(kind: Scene, fault: str, *, every: int) -> Counts:
    counts: Counts = {"points": 0, "of": 0, "stopped": 0, "not needed": 0, "failures": []}
    # The tracer counts the calls of each process, so there is one process; workers have experiments of their own.
    with tempfile.TemporaryDirectory() as name, Warm(DENAS_WORKERS="1") as warm:
        directory = Path(name)
        scene = kind(warm, directory)
        whole = directory / "whole"
        lines = log_of(warm, scene.prepare(whole), directory / "log", *CALLS, "openat")
        assert not scene.go_on(whole)
        reference = outcome(whole)
        everything = points(lines)
        counts["of"] = len(everything)
        for point in everything[::every]:
            run = directory / "run"
            counts["points"] += 1
            problem = _hit(warm, scene.prepare(run), point, fault, counts) or scene.go_on(run)
            if not problem and outcome(run) != reference:
                problem = "another result"
            if not problem and (left := [file.name for file in run.glob(".*.tmp*")]):
                problem = f"left behind: {left}"
            if problem:
                counts["failures"].append(f"{fault} at {point[0]} {point[1]}: {problem}")
            shutil.rmtree(run, ignore_errors=True)
    return counts


def _hit(warm: Warm, arguments: list[str], point: Point, fault: str, counts: Counts) -> str:
    call, number = point
    inject = f"inject={call}:{fault}:when={number}"
    done = traced(warm, arguments, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
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
    return ""
