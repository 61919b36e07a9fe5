"""``denas shrink``: a smaller network from a checkpoint."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from denas_core.cli.arguments import AllowPickleOption, DeviceOption, JsonOption, QuietOption
from denas_core.cli.completion import names
from denas_core.cli.output import print_json, print_next, print_text


def shrink(
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT", help="Folder of a checkpoint of transformers, or its id on the hub."
        ),
    ],
    constraint: Annotated[
        list[str] | None,
        typer.Option(
            "--constraint",
            "-c",
            metavar="BOUND",
            help="Bound of the smaller network, relative to the checkpoint with x; may be repeated. "
            "[default: params<=0.6x]",
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORM",
            autocompletion=names("exporter"),
            help="Export form, as of 'denas export'.",
        ),
    ] = "huggingface",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder of the result. [default: CHECKPOINT-small]"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Data set to fine-tune the network on, with the checkpoint as its teacher; also the calibration "
            "data. Without it, the network has the inherited weights.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="Task of the data. [default: the one that recognises them]",
            autocompletion=names("task"),
        ),
    ] = None,
    vocabulary: Annotated[
        int | None,
        typer.Option(
            "--vocabulary",
            metavar="TOKENS",
            min=1,
            help="Keep so many tokens of the vocabulary: special ones, single characters, the most frequent ones of "
            "the data, and the first ones of the vocabulary. [default: all]",
        ),
    ] = None,
    budget: Annotated[
        str, typer.Option("--budget", "-b", help="Budget of the search: a time or a number of candidates.")
    ] = "60s",
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    device: DeviceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an option of a step: space, score, task, training or export, e.g. training.epochs=2.",
        ),
    ] = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a smaller network from a checkpoint, with its weights.

    Reads and checks the checkpoint, searches networks within the bounds without training, gives the best one the
    weights of the checkpoint, and exports it. With --data, the weights are fitted to the outputs of the checkpoint, and
    the network is fine-tuned. What was stopped or killed goes on with the same command.
    """
    from denas_core.building.observer import BuildObserver
    from denas_core.building.shrink import shrink as make_smaller
    from denas_core.building.shrink_request import ShrinkRequest
    from denas_core.registry.registry import Registry

    observer = BuildObserver()
    if not quiet:
        from denas_core.cli.build_progress import BuildDisplay

        observer = BuildDisplay()
    where = Path(f"{checkpoint.rstrip('/').rpartition('/')[2]}-small") if out is None else out
    folder = Path(checkpoint).expanduser()
    request = ShrinkRequest(
        checkpoint=str(folder.resolve()) if folder.exists() else checkpoint,
        out=where.expanduser().absolute(),
        constraints=tuple(constraint or ["params<=0.6x"]),
        form=to,
        data=None if data is None else data.expanduser().absolute(),
        task=task,
        budget=budget,
        seed=seed,
        device=device or "auto",
        vocabulary=vocabulary,
        settings=(*(set_ or []), *(["space.allow_pickle=true"] if allow_pickle else [])),
    )
    result = make_smaller(request, Registry.discover(), observer=observer)
    if json_:
        print_json({"schema": "denas.shrunk/1", **result})
    else:
        _print(result, where)


def _print(result: Mapping[str, Any], where: Path) -> None:
    share = result["params"] / result["params_of_checkpoint"]
    print_text(f"network: {result['params'] / 1e6:.4g}M parameters, {share:.2f} of those of the checkpoint")
    if "tokens" in result:
        print_text(f"vocabulary: {result['tokens']} of {result['tokens_of_checkpoint']} tokens")
    if result["metrics"]:
        values = ", ".join(f"{name} {value:.4g}" for name, value in result["metrics"].items())
        print_text(f"after fine-tuning: {values}")
    else:
        print_text("weights: inherited, without fine-tuning; --data fine-tunes them")
    print_text(f"model: {result['model']}")
    print_text("load it in Python with:")
    for line in result["usage"].splitlines():
        print_text(f"  {line}")
    print_next([f"denas report {shlex.quote(str(where))}/search"])
