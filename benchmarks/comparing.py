"""What comparisons of trained networks share: commands are run, means are printed with their ranges."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def denas(*arguments: str) -> dict[str, Any]:
    """Run a command and return what it prints with ``--json``."""
    done = subprocess.run(
        [sys.executable, "-m", "denas_core.cli", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"denas {' '.join(arguments)}: {done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def training_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a script that trains networks of a space side by side and writes a table."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="space.KEY, task.KEY or training.KEY"
    )
    parser.add_argument("--constraint", action="append", default=[])
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="directory of everything else, for going on")
    return parser


def settings(values: Sequence[str]) -> list[str]:
    """Return options of a command line that set `values`, such as ``training.epochs=3``."""
    return [part for value in values for part in ("--set", value)]


def mean_and_range(values: Sequence[float], form: str = ".3f") -> str:
    """Return a mean with the smallest and the largest value beside it."""
    return f"{statistics.fmean(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
