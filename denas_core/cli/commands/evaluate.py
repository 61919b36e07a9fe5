"""``denas evaluate``: measure a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denas_core.cli.arguments import DeviceOption, JsonOption
from denas_core.cli.completion import runs
from denas_core.cli.output import print_json, print_notice, print_table
from denas_core.cli.task_options import DecodeOption, LmOption, SplitOption, task_for_once
from denas_core.cli.training_plan import device_of


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
    from denas_core.system.extras import require_extra

    require_extra("train", "safetensors", purpose="a trained model")
    from denas_core.contracts.chance import nothing_learnt
    from denas_core.errors import ConfigError, keep_notices
    from denas_core.isolation.plugin_errors import plugin_errors
    from denas_core.models.find import find_model
    from denas_core.models.trained import load_model
    from denas_core.registry.registry import Registry
    from denas_core.system.memory import memory_errors
    from denas_core.training.evaluation import evaluate_network

    directory = find_model(model)
    registry = Registry.discover()
    trained = load_model(directory, registry)
    if trained.task is None:
        raise ConfigError(f"the model in {str(directory)!r} has no task, so there is no metric to measure")
    task = task_for_once(registry, trained.task, set_ or [], split=split, decoding=decode, lm=lm)
    with plugin_errors(f"task {task.id!r}", guard=False):
        read = task.read(data, trained.space, facts=trained.facts)
    chosen = device_of(device or "auto")
    with (
        keep_notices(lambda: read.notices),
        plugin_errors(f"task {task.id!r}", guard=False),
        memory_errors(batch_size),
    ):
        metrics = evaluate_network(
            trained.network.to(chosen),
            trained.space,
            task,
            read.valid,
            batch_size=batch_size,
            device=chosen,
        )
    said = nothing_learnt(task.metric, metrics, len(read.valid))
    notices = [*read.notices, *([f"{said}; train it longer, or on more data"] if said else [])]
    for notice in notices:
        print_notice(f"note: {notice}")
    if json_:
        print_json(
            {
                "schema": "denas.evaluation/1",
                "model": str(directory),
                "task": task.id,
                "data": str(data),
                "samples": len(read.valid),
                "metrics": metrics,
                "notices": notices,
            }
        )
        return
    print_table(["metric", "value"], [[name, value] for name, value in metrics.items()])
    print_notice(f"{task.id} on {len(read.valid)} samples of {data}")
