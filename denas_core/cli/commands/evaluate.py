"""``denas evaluate``: measure a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denas_core.cli.arguments import DeviceOption, JsonOption
from denas_core.cli.completion import runs
from denas_core.cli.output import print_json, print_notice, print_table
from denas_core.cli.task_options import DecodeOption, LmOption, SplitOption, task_for_once


def evaluate(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|MODEL",
            help="A trained run, or the directory of a trained model.",
            autocompletion=runs,
        ),
    ],
    data: Annotated[
        Path,
        typer.Option("--data", metavar="PATH", help="Data set: a file or folder that the task can read."),
    ],
    split: SplitOption = None,
    decode: DecodeOption = None,
    lm: LmOption = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Samples in a batch.")] = 64,
    device: DeviceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="task.KEY=VALUE", help="Set an option of the task for this evaluation only."
        ),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Measure a trained model on a data set.

    Prints the metrics of its task for the part of the data that training does not use.
    """
    from denas_core.actions.evaluate import evaluate_model
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    result = evaluate_model(
        model,
        data,
        registry,
        change=lambda task: task_for_once(registry, task, set_ or [], split=split, decoding=decode, lm=lm),
        batch_size=batch_size,
        device=device or "auto",
    )
    for notice in result.notices:
        print_notice(f"note: {notice}")
    if json_:
        print_json(result.as_dict())
        return
    print_table(["metric", "value"], [[name, value] for name, value in result.metrics.items()])
    print_notice(f"{result.task} on {result.samples} samples of {data}")
