"""Running searches of the toy space, in this process or as the command a user types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from denas_core.config import make_config
from denas_core.launch import run_search
from denas_core.registry import Registry
from denas_core.result import SearchResult
from denas_core.run_directory import read_run
from denas_core.store import comparable

TOY = Path(__file__).parents[1] / "toy"


def toy_search(out: Path, **changes: Any) -> SearchResult:
    """Search the toy space in this process."""
    document = {
        "space": "toy/stairs",
        "score": "toy/both",
        "budget": 120,
        "device": "cpu",
        "out": str(out),
        **changes,
    }
    return run_search(make_config(document, origin="test"), Registry.discover())


def table(run: Path) -> list[list[Any]]:
    """Return the comparable rows of a run."""
    store = read_run(run)
    try:
        return comparable(store.trials())
    finally:
        store.close()


def environment(**extra: str) -> dict[str, str]:
    """Return an environment in which the toy plugin is installed."""
    return {**os.environ, "PYTHONPATH": str(TOY), "OMP_NUM_THREADS": "1", "COLUMNS": "200", **extra}


def denas_command(*arguments: str) -> list[str]:
    """Return the command line of ``denas`` in this Python."""
    return [sys.executable, "-c", "from denas_core.cli import main; main()", *arguments]


def denas(
    *arguments: str, cwd: Path | None = None, timeout: float = 60, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run ``denas`` as a user would, and return what it printed."""
    return subprocess.run(
        denas_command(*arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**extra),
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
