"""``denas train``: train an architecture of a run or a space."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denas_core.actions.ready_training import prepare_training
from denas_core.actions.training_options import GivenOptions
from denas_core.cli.arguments import AllowPickleOption, DeviceOption, JsonOption, QuietOption, TrackerOption
from denas_core.cli.completion import names, runs_or_spaces
from denas_core.cli.output import print_json, print_next, print_notice, print_text
from denas_core.cli.race import AlsoOption, RaceExecutorOption, TopOption, race, wants_race
from denas_core.cli.task_options import DevOption, TrainOption, VocabOption, short_forms
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.training.plan import Plan
    from denas_core.training.result import TrainingResult

DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="Data set: a file or folder that the task can read."),
]


def train(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|SPACE",
            help="Run, whose best architecture is trained; or a space, with --arch and --out.",
            autocompletion=runs_or_spaces,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="YAML file of a training; options beat it, and so does the architecture of a RUN.",
        ),
    ] = None,
    data: DataOption = None,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            "--select",
            metavar="KEY|NAME|FILE|TEXT",
            help="Another finalist of the run (a key, or knee, fastest, smallest or large), or an architecture.",
        ),
    ] = None,
    top: TopOption = None,
    also: AlsoOption = None,
    executor: RaceExecutorOption = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="What to train for. [default: the only one that fits]",
            autocompletion=names("task"),
        ),
    ] = None,
    train: TrainOption = None,
    dev: DevOption = None,
    vocab: VocabOption = None,
    epochs: Annotated[int | None, typer.Option("--epochs", "-e", help="Passes over the data.")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", help="Samples in a batch, over all processes.")
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Highest learning rate.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of everything random. [default: the run's]")
    ] = None,
    device: DeviceOption = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher", metavar="MODEL", help="Trained model whose outputs the network learns too."
        ),
    ] = None,
    tracker: TrackerOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Its directory. [default: RUN/training]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training or a race that was stopped.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set training.KEY or task.KEY, e.g. training.schedule=step."
        ),
    ] = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train the best network of a run, or several in a race.

    The best model is kept, and its metrics are printed. A training or a race that was stopped or killed goes on with
    --resume, and ends with the same weights.
    """
    from denas_core.system.extras import require_extra

    require_extra("train", "transformers", "accelerate", "safetensors", purpose="training")
    from denas_core.progress.training import TrainingDisplay
    from denas_core.registry.registry import Registry
    from denas_core.setup.config import read_document
    from denas_core.setup.training_file import TrainingFile, make_training_file
    from denas_core.training.processes import read_processes

    is_first = read_processes().rank == 0
    registry = Registry.discover()
    if resume and (run is None or config is not None):
        raise ConfigError("--resume takes a RUN, or the directory of a training, and no --config")
    file = TrainingFile() if config is None else make_training_file(read_document(config)[0], origin=config)
    given = GivenOptions(
        file=file,
        data=data,
        arch=arch,
        task=task,
        device=device,
        teacher=teacher,
        flags={
            "training": {
                **{"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed},
                "trackers": tracker or None,
            },
            "task": short_forms(train=train, dev=dev, vocab=vocab),
            "space": {"allow_pickle": allow_pickle or None},
        },
        settings=set_ or [],
    )
    if wants_race(run, top=top, also=also or [], executor=executor, resume=resume):
        race(
            run,
            given,
            registry,
            top=top,
            also=also or [],
            executor=executor,
            out=out,
            resume=resume,
            as_json=json_,
            quiet=quiet,
        )
        return
    ready = prepare_training(run, given, registry, out=out, resume=resume)
    observers = [] if quiet else [TrainingDisplay(ready.plan.task.metric.name, ready.plan.settings)]
    shown: list[str] = []

    def show_beginning(lines: Sequence[str], notices: Sequence[str]) -> None:
        shown.extend(notices)
        for line in (*lines, *(f"note: {notice}" for notice in notices)):
            print_notice(line)

    result = ready.run(
        registry,
        observers=observers,
        notify=print_notice,
        on_begin=None if quiet else show_beginning,
    )
    if not is_first:
        return
    for notice in result.notices:
        if notice not in shown:
            print_notice(f"note: {notice}")
    if json_:
        print_json(result.as_dict())
    else:
        _print(result, ready.directory, ready.plan)


def _print(result: TrainingResult, directory: Path, plan: Plan) -> None:
    from denas_core.training.result import owner

    progress = result.progress
    best = ", ".join(f"{name} {value:.4g}" for name, value in progress.best.items())
    lines = [f"best model: epoch {progress.best_epoch:g} of {plan.settings.epochs}: {best}"]
    if progress.stopped:
        lines.append(f"stopped early: {progress.stopped}")
    where = owner(directory)
    print_text("\n".join([*lines, f"model: {directory / 'model'}"]))
    print_next(
        [
            f"denas evaluate {where} --data {shlex.quote(str(plan.data))}",
            f"denas export {where} --to safetensors",
        ]
    )
