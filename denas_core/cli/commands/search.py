"""``denas search``: run a search, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from denas_core.cli.arguments import (
    AllowPickleOption,
    ConfigOption,
    DataTaskOption,
    DeviceOption,
    ExecutorOption,
    JsonOption,
    ProbeOption,
    QuietOption,
    ScoreOption,
    SetOption,
    TrackerOption,
    WeightsOption,
    build_config,
    with_options,
    with_pickles,
)
from denas_core.cli.completion import names, runs
from denas_core.cli.output import print_json, print_notice
from denas_core.errors import ConfigError
from denas_core.runs.choices import CHOICES


def search(
    space: Annotated[
        str | None,
        typer.Argument(help="Search space, e.g. cv/cnn or cv/cnn:imagenet.", autocompletion=names("space")),
    ] = None,
    config: ConfigOption = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(
            "--constraint",
            "-c",
            metavar="BOUND",
            help="Bound such as 'params<=1M', 'latency<=5ms' or 'flops>=0.3x' of the largest; may be repeated.",
        ),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            metavar="[max:|min:]METRIC",
            help="Axis of the Pareto front, such as max:score or min:latency_ms; may be repeated.",
        ),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="NAME",
            help="Result that is printed last: best, large, or knee, fastest or smallest of the front; with "
            "--resume also a key.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", "-b", help="Scored candidates (200) or time (60s, 5min). [default: 60s]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of everything random. [default: 0]")
    ] = None,
    score: ScoreOption = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Score on samples of this data set in place of noise. The space of a new search gets the options that "
            "the data determine, such as classes, and that you do not set.",
        ),
    ] = None,
    task: DataTaskOption = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="Strategy; a short name means that of the core, if it has one. [default: builtin/nsga2]",
            autocompletion=names("strategy"),
        ),
    ] = None,
    probe: ProbeOption = None,
    machine: Annotated[
        str | None,
        typer.Option(
            "--machine",
            metavar="NAME",
            help="Predict latency for this machine, by a model of 'denas latency import'; nothing is measured here.",
        ),
    ] = None,
    executor: ExecutorOption = None,
    tracker: TrackerOption = None,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads torch may use. [default: 1]")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="Run directory. [default: runs/<space>-<n>]")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a stopped run.", autocompletion=runs),
    ] = None,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search a space for the best architectures.

    Nothing is trained, and every result keeps your bounds. A search that was stopped or killed goes on with --resume:
    no finished work is lost or repeated.
    """
    given: dict[str, Any] = {
        "constraints": constraint,
        "objectives": objective,
        "budget": budget,
        "seed": seed,
        "score": score,
        "data": data,
        "task": task,
        "strategy": strategy,
        "probe": probe,
        "machine": machine,
        "trackers": tracker,
        "executor": executor,
        "device": device,
        "threads": threads,
        "out": out,
    }
    if select is not None and resume is None and select not in CHOICES:
        raise ConfigError(
            f"--select {select!r} is none of {', '.join(CHOICES)}; the keys of a run are known once it has a result"
        )
    settings = with_pickles(set_, allow_pickle=allow_pickle)
    if resume is None:
        run_config = build_config(space, file=config, given=given, weights=weights, settings=settings)
    elif config is not None:
        raise ConfigError(
            "--config and --resume exclude each other: a run goes on with the configuration it has"
        )

    from denas_core.cli.trial_tables import print_result, print_selected
    from denas_core.launch import resume_search, run_search
    from denas_core.progress.search import SearchProgress
    from denas_core.registry.registry import Registry
    from denas_core.setup.config import apply_settings

    observers = [] if quiet else [SearchProgress()]

    def change(stored: dict[str, Any]) -> dict[str, Any]:
        same = space in (None, stored["space"]["name"])
        kept = {**given, "space": stored["space"] if same else space}
        return apply_settings(with_options(stored, kept, weights=weights), settings)

    if resume is not None:
        result = resume_search(Path(resume), change, observers=observers)
    else:
        result = run_search(run_config, Registry.discover(), observers=observers)
    printed = observers[0].notices if observers else []
    for notice in result.notices:
        if notice not in printed:
            print_notice(f"note: {notice}")
    if not json_:
        print_result(result)
        if select is not None:
            print_selected(result, select)
    elif select is None:
        print_json(result.as_dict())
    else:
        print_json({**result.as_dict(), "selected": result.describe(result.select(select))})
