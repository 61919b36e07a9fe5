"""Short forms of options that tasks have: each is the same as ``--set task.NAME=VALUE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

VocabOption = Annotated[
    str | None,
    typer.Option(
        "--vocab",
        metavar="FILE|KIND",
        help="Vocabulary of a task on texts or speech; the same as task.vocab.",
    ),
]
TrainOption = Annotated[
    str | None,
    typer.Option("--train", metavar="PART", help="Part of the data to learn from; the same as task.train."),
]
DevOption = Annotated[
    str | None,
    typer.Option("--dev", metavar="PART", help="Part to measure on while training; the same as task.dev."),
]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", metavar="PART", help="Part of the data to measure on; the same as task.split."),
]
DecodeOption = Annotated[
    str | None,
    typer.Option("--decode", metavar="HOW", help="How outputs are decoded; the same as task.decoding."),
]
LmOption = Annotated[
    str | None,
    typer.Option("--lm", metavar="FILE", help="Language model for decoding; the same as task.lm."),
]


def short_forms(**given: str | None) -> dict[str, str | None]:
    """Return what was given by the name of the option; the names of files that are there are made whole.

    A training may be gone on with in another folder.
    """
    return {name: _whole(value) for name, value in given.items()}


def _whole(value: str | None) -> str | None:
    try:
        return str(Path(value).absolute()) if value and Path(value).exists() else value
    except (OSError, ValueError):
        return value
