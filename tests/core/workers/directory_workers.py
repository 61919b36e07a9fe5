"""Workers of a shared directory as a user starts them, beside a test."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.core.toy_searches import denas_command, environment

Worker = subprocess.Popen[str]


def start_worker(directory: Path, *options: str, **extra: str) -> Worker:
    """Start ``denas worker`` with one process, unless the options say otherwise."""
    return subprocess.Popen(
        denas_command("worker", str(directory), "--workers", "1", *options),
        env=environment(**extra),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


@contextlib.contextmanager
def working(directory: Path, *options: str, count: int = 1, **extra: str) -> Iterator[list[Worker]]:
    """Run workers beside the test, which they do not outlive."""
    workers = [start_worker(directory, *options, **extra) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            end(worker)


def end(worker: Worker) -> str:
    """Kill a worker if it still runs, and return what it has printed since the last call."""
    worker.kill()
    assert worker.stderr is not None
    return "" if worker.stderr.closed else worker.communicate()[1]


def wait_until(happened: Callable[[], Any], seconds: float = 300) -> Any:
    """Return what `happened` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)
    return found
