"""Running searches of the toy space, in this process or as the command a user types."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.cli import _run
from denas_core.launch import run_search
from denas_core.registry.registry import Registry
from denas_core.results.comparable import comparable
from denas_core.results.result import SearchResult
from denas_core.runs.files import read_run
from denas_core.setup.config import RunConfig, make_config
from denas_core.study.study import Study
from denas_core.values.trial import Trial
from tests import warm

TOY = Path(__file__).parents[1] / "toy"


class Watcher:
    """An observer that remembers, and acts after so many trials."""

    def __init__(self, after: int = 0, act: Any = None) -> None:
        self.keys: list[str] = []
        self.after = after
        self.act = act

    def started(self, study: Study) -> None: ...

    def trial_done(self, study: Study, trial: Trial) -> None:
        self.keys.append(trial.arch.key)
        if len(self.keys) == self.after:
            self.act()

    def finished(self, study: Study) -> None: ...


def toy_config(out: Path, **changes: Any) -> RunConfig:
    """Return the configuration of a search of the toy space."""
    toy = {"space": "toy/stairs", "score": "toy/both", "budget": 120, "device": "cpu", "out": str(out)}
    return make_config({**toy, **changes}, origin="test")


def toy_search(out: Path, **changes: Any) -> SearchResult:
    """Search the toy space in this process."""
    return run_search(toy_config(out, **changes), Registry.discover())


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
    *arguments: str, cwd: Path | None = None, timeout: float = 300, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run ``denas`` as a user would, and return what it printed."""
    return warm.run(denas_command(*arguments), cwd=cwd, env=environment(**extra), timeout=timeout)


@contextlib.contextmanager
def _standard_input(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


def denas_here(*arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``denas`` in this process, which is quicker, and return what it printed."""
    out, err = io.StringIO(), io.StringIO()
    place = contextlib.chdir(cwd) if cwd else contextlib.nullcontext()
    with place, _standard_input(stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _run([*arguments], debug=False)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())
