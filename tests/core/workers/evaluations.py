"""Functions that workers evaluate, by what happens to them: each depends on the architecture's knob `x`."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

BAD = 3
"""The value of `x` that the function does not survive."""


def work(count: int) -> Iterator[tuple[int, Architecture]]:
    """Yield architectures whose knob `x` is their index."""
    for index in range(count):
        yield index, Architecture("sample/x", {"x": index}, f"{index:032x}")


def square(arch: Architecture) -> Evaluation:
    """Return the square of `x` and the process that computed it."""
    x = int(arch["x"])
    return Evaluation(state="scored", components={"square": float(x * x)}, metrics={"process": os.getpid()})


def slow(arch: Architecture) -> Evaluation:
    """Take a while."""
    time.sleep(0.05 if arch["x"] != BAD else 0.5)
    return square(arch)


def hangs(arch: Architecture) -> Evaluation:
    """Sleep for ever, with the interpreter's lock."""
    if arch["x"] == BAD:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ctypes.PyDLL(None).sleep(1000)
    return square(arch)


def leaves_a_child(arch: Architecture) -> Evaluation:
    """Start a process that outlives this call, and hang."""
    if arch["x"] == BAD:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        Path(os.environ["DENAS_TEST_CHILD"]).write_text(str(child.pid))
        time.sleep(1000)
    return square(arch)


def exits(arch: Architecture) -> Evaluation:
    """End the process as if all were well."""
    if arch["x"] == BAD:
        os._exit(0)
    return square(arch)


def exits_by_exception(arch: Architecture) -> Evaluation:
    """Raise the exception that ends a Python program."""
    if arch["x"] == BAD:
        sys.exit(0)
    return square(arch)


def crashes(arch: Architecture) -> Evaluation:
    """Die like a fault in native code."""
    if arch["x"] == BAD:
        os.kill(os.getpid(), signal.SIGSEGV)
    return square(arch)


def crashes_once(arch: Architecture) -> Evaluation:
    """Die the first time, as a process that somebody kills."""
    mark = Path(os.environ["DENAS_TEST_MARK"])
    if arch["x"] == BAD and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(arch)


def grows(arch: Architecture) -> Evaluation:
    """Take 600 MB bit by bit, and hang: a supervisor that looks late must not find the machine without memory."""
    kept = []
    while arch["x"] == BAD:
        if len(kept) < 36:
            kept.append(b"x" * 2**24)
        time.sleep(0.01)
    return square(arch)


def leaks(arch: Architecture) -> Evaluation:
    """Keep 10 MB of each candidate."""
    _kept.append(b"x" * 10_000_000)
    return square(arch)


_kept: list[bytes] = []


def babbles(arch: Architecture) -> Evaluation:
    """Write into every socket that the process has, among them the one to the supervisor."""
    if arch["x"] == BAD:
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                socket.socket(fileno=os.dup(descriptor)).sendall(b"hello, is anybody there?")
    return square(arch)


def prints(arch: Architecture) -> Evaluation:
    """Print on standard output in three ways."""
    print("printed")
    os.write(1, b"written\n")
    subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
    return square(arch)


def returns_something_else(arch: Architecture) -> Any:
    """Return no evaluation."""
    return "done" if arch["x"] == BAD else square(arch)


def ends_at_import() -> None:
    """End the process where its job is loaded."""
    os._exit(3)


class Unloadable:
    """A function that ends each process that loads it."""

    def __call__(self, arch: Architecture) -> Evaluation:
        return square(arch)

    def __reduce__(self) -> Any:
        return ends_at_import, ()


@dataclasses.dataclass(frozen=True)
class Waits:
    """Say in a folder that the evaluation of `BAD` has begun, and wait there for a file ``go``."""

    folder: str

    def __call__(self, arch: Architecture) -> Evaluation:
        if arch["x"] == BAD:
            Path(self.folder, f"begun-{os.getpid()}").touch()
            while not Path(self.folder, "go").exists():
                time.sleep(0.01)
        return square(arch)


@dataclasses.dataclass(frozen=True)
class LoadsSlowly:
    """A measurement whose code takes a while to import, says in a folder when it is there, and which never ends."""

    folder: str
    seconds: float

    def __call__(self, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        time.sleep(1000)
        return evaluation

    def __reduce__(self) -> Any:
        return load_slowly, (self.folder, self.seconds)


def load_slowly(folder: str, seconds: float) -> LoadsSlowly:
    """Return what `LoadsSlowly` was where it was sent from."""
    time.sleep(seconds)
    Path(folder, "loaded").touch()
    return LoadsSlowly(folder, seconds)
