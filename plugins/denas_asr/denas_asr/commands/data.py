"""The command ``denas data``: check data sets before training on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denas_core.cli.api import JsonOption, print_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at data sets before training.")


@app.callback()
def _data() -> None:
    # Without this callback, typer would merge the only subcommand into `denas data`.
    pass


@app.command("check")
def check(
    asr: Annotated[
        Path,
        typer.Option(
            "--asr", metavar="PATH", help="Speech: a folder laid out as LibriSpeech, or a manifest."
        ),
    ],
    train: Annotated[str | None, typer.Option("--train", metavar="PART", help="Part to train on.")] = None,
    dev: Annotated[
        str | None, typer.Option("--dev", metavar="PART", help="Part to validate on during training.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail with exit code 2 if the data has a fault.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Read and decode a data set, and report its contents and its faults."""
    from denas_asr.data.check import check_data

    report = check_data(asr, train=train, dev=dev)
    if json_:
        print_json(report.as_dict())
    else:
        typer.echo(report.text())
    if strict:
        report.refuse()
