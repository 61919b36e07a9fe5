"""The command ``denas data``: check data sets before training on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denas_core.cli.api import JsonOption, print_json, task_for_once

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
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="task.KEY=VALUE",
            help="Option of asr/speech-recognition, as of 'denas train', such as task.text=sentence.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail with exit code 2 if the data has a fault.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Read and decode a data set, and report its contents and its faults.

    Without --train, the part is checked that a training would learn from.
    """
    from denas_asr.data.check import check_data
    from denas_asr.data.utterance import Limits
    from denas_asr.task.parts import training_part
    from denas_asr.task.recognition import SpeechRecognition
    from denas_core import Registry

    registry = Registry.discover()
    task = registry.create("task", "asr/speech-recognition")
    task = task_for_once(registry, task, set_ or [], train=train, dev=dev)
    assert isinstance(task, SpeechRecognition), "the name is that of this class"
    report = check_data(
        asr,
        train=training_part(asr, task.train, task.columns),
        dev=task.dev or None,
        limits=Limits(longest=task.max_seconds),
        decode=task.decode_first,
        columns=task.columns,
    )
    if json_:
        print_json(report.as_dict())
    else:
        typer.echo(report.text())
    if strict or task.strict:
        report.refuse()
