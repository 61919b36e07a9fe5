"""``denas calibrate``: fit the weights of a run's score to a few trainings, and rank the run with them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import AllowPickleOption, DeviceOption, JsonOption, QuietOption, with_pickles
from denas_core.cli.completion import names
from denas_core.cli.from_run import read_run_with_options
from denas_core.cli.output import print_json, print_next, print_notice, print_table, print_text
from denas_core.cli.work_progress import WorkProgress
from denas_core.errors import ConfigError

from .trials import RunArgument

if TYPE_CHECKING:
    from denas_core.results.result import SearchResult

NETWORKS = 12


def calibrate(
    run: RunArgument,
    train: Annotated[
        int | None,
        typer.Option("--train", metavar="N", help=f"Networks of the run to train. [default: {NETWORKS}]"),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="PATH", help="Data set to train on. [default: the data of the run]"),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="NAME",
            help="What to train for. [default: the only one that fits]",
            autocompletion=names("task"),
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", "-e", min=1, help="Epochs of each training. [default: the task's]"),
    ] = None,
    device: DeviceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set training.KEY or task.KEY, e.g. training.lr=0.01."
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Rank the run with the weights of its search again.")
    ] = False,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fit the weights of a run's score to a few trainings.

    Trains a few networks of the run, alike and side by side, and fits non-negative weights of the components. If they
    rank networks that had no part in the fit better than the weights of the search, the run is ranked with them; if
    not, it stays as it is. The same command goes on after a stop, and trains nothing twice.
    """
    from denas_core.agreement.calibrate_run import RunCalibration, rank_anew
    from denas_core.cli.commands.evaluate_proxy import read_options
    from denas_core.racing.run_data import make_training_request
    from denas_core.racing.run_trainings import plan_trainings
    from denas_core.registry.registry import Registry
    from denas_core.results.calibrated import read_calibration
    from denas_core.setup.checks import DEVICES

    if device not in (None, *DEVICES):
        raise ConfigError(f"device {device!r} is none of {', '.join(DEVICES)}")
    registry = Registry.discover()
    if undo:
        if read_calibration(run) is None:
            raise ConfigError(f"run {str(run)!r} has no calibration to undo")
        _print_best(rank_anew(run, None, registry), json_=json_)
        return
    options = read_options(with_pickles(set_, allow_pickle=allow_pickle))
    unknown = next((part for part in options if part not in ("space", "task", "training")), None)
    if unknown is not None:
        raise ConfigError(f"--set {unknown}: a training has keys of training and task, such as training.lr")
    searched = read_run_with_options(run, registry, options)
    calibration = RunCalibration.of(
        searched,
        lambda: plan_trainings(
            searched,
            make_training_request(
                searched, data=data, task=task, options=options, epochs=epochs, device=device
            ),
            registry,
        ),
        NETWORKS if train is None else train,
        registry,
    )
    with WorkProgress("trainings") as progress:
        document = calibration.fit(
            registry=registry,
            on_progress=(lambda done, total: None) if quiet else progress,
            notify=lambda line: print_notice(f"note: {line}"),
        )
    for notice in document["notices"]:
        print_notice(f"note: {notice}")
    result = rank_anew(run, document, registry)
    if json_:
        print_json({**document, "result": result.as_dict()})
        return
    _print(document)
    _print_best(result, json_=False)


def _print(document: Mapping[str, Any]) -> None:
    from denas_core.agreement.wording import estimate

    rows = [
        [name, f"{document['weights_before'][name]:.3g}", f"{weight:.3g}"]
        for name, weight in document["weights"].items()
    ]
    print_table(["component", "weight before", "weight now"], rows)
    metric, count = document["metric"], len(document["networks"])
    print_text(
        f"\ntau-b with {metric} over {count} networks: "
        f"{estimate(document['kendall'], document['kendall_ci'])} with the fitted weights, each network without a part "
        f"in its fit; {estimate(document['kendall_before'], document['kendall_before_ci'])} with those of the search"
    )


def _print_best(result: SearchResult, *, json_: bool) -> None:
    if json_:
        print_json(result.as_dict())
        return
    for notice in result.notices:
        print_notice(f"note: {notice}")
    print_text(f"best architecture: {result.best.arch.key[:12]} in {result.path / 'best.json'}")
    run = shlex.quote(str(result.path))
    print_next([f"denas rank {run}", f"denas report {run}", f"denas train {run} --data DATA"])
