"""The search that all experiments disturb, and what it must come to in the end."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from denas_core.errors import DenasError
from denas_core.results.comparable import comparable
from denas_core.runs.files import read_run

from .warm import Done, Warm

Counts = dict[str, Any]
"""Numbers by name; under ``failures``, what went wrong, a line each."""

SEARCH = ("search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "--set", "score.failing=9", "-q")


def search(run: Path, budget: int, *more: str) -> list[str]:
    """Return the arguments of the search of the toy space."""
    return [*SEARCH, "-b", str(budget), "-o", str(run), *more]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Everything that a search promises to repeat.

    Attributes:
        table: The comparable part of its trials.
        best: Text of ``best.json``.
        files: Names of its architectures.
        front: The part of ``result.json`` that does not depend on where it lies.
    """

    table: str
    best: str
    files: tuple[str, ...]
    front: str


def outcome(run: Path) -> Outcome:
    """Return what a finished run came to."""
    result = json.loads((run / "result.json").read_text())
    return Outcome(
        table=json.dumps(comparable(trials(run))),
        best=(run / "best.json").read_text(),
        files=tuple(sorted(file.name for file in (run / "architectures").iterdir())),
        front=json.dumps([result["trials"], result["best"], result["front"]]),
    )


def trials(run: Path) -> list[Any]:
    """Return the trials of a run."""
    store = read_run(run)
    try:
        return store.trials()
    finally:
        store.close()


def committed(run: Path) -> int:
    """Return how many trials a run has; 0 where there is no run yet."""
    try:
        return len(trials(run))
    except DenasError:
        return 0


def go_on(warm: Warm, run: Path, budget: int, *more: str) -> Done:
    """Resume a run, or begin it again where it never began."""
    if (run / "study.db").exists():
        return warm.run("search", "--resume", str(run), "-q")
    return warm.run(*search(run, budget, *more))


def one_line(done: Done) -> bool:
    """Return whether a command that failed says so in one line after its notes, and shows no traceback."""
    lines = [line for line in done.err.splitlines() if not line.startswith("note: ")]
    return len(lines) == 1 and lines[0].startswith("error: ")
