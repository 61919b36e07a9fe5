"""``denas score`` and ``denas latency``: one architecture, or a list of them to be scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import (
    AllowPickleOption,
    ArchOption,
    ColumnsOption,
    ConfigOption,
    DataOption,
    DataTaskOption,
    DeviceOption,
    ExecutorOption,
    JsonOption,
    ProbeOption,
    ScoreOption,
    SetOption,
    WeightsOption,
    build_config,
)
from denas_core.cli.completion import runs_or_spaces
from denas_core.cli.output import MORE, cell, print_json, print_notice, print_table, print_text
from denas_core.cli.score_list import read_architectures, score_list
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.setup.setup import Setup
    from denas_core.values.architecture import Architecture
    from denas_core.values.latency import Latency

SourceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN|SPACE",
        help="Run, or search space such as cv/cnn; not needed with --config.",
        autocompletion=runs_or_spaces,
    ),
]
ArchListOption = Annotated[
    list[str] | None,
    typer.Option(
        "--arch",
        "--select",
        metavar="KEY|NAME|FILE|TEXT",
        help="Architecture: first digits of a key of the run; best, knee, fastest, smallest or large; a YAML or "
        "JSON file, or the space's notation; may be repeated. [default: the best one of the run]",
    ),
]
ArchFileOption = Annotated[
    Path | None,
    typer.Option(
        "--archs",
        metavar="FILE",
        help="Architectures: a text file with one on each line, or a CSV or JSON file.",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of weights and batches. [default: the run's, or 0]")
]


def score(
    source: SourceArgument = None,
    arch: ArchListOption = None,
    archs: ArchFileOption = None,
    config: ConfigOption = None,
    score: ScoreOption = None,
    data: DataOption = None,
    task: DataTaskOption = None,
    probe: ProbeOption = None,
    weights: WeightsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    executor: ExecutorOption = None,
    no_latency: Annotated[bool, typer.Option("--no-latency", help="Do not measure latency.")] = False,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """Score one architecture, or rank several among each other.

    Prints every component of the score, parameters, FLOPs, latency, and the seconds spent on each. For a run, its
    configuration is used.
    """
    import time

    from denas_core.errors import NoResult
    from denas_core.isolation.plugin_errors import plugin_errors

    setup, named = _setup(
        source,
        arch or ([None] if archs is None else []),
        file=config,
        given={
            "score": score,
            "probe": probe,
            "seed": seed,
            "device": device,
            "executor": executor,
            "data": data,
            "task": task,
        },
        weights=weights,
        settings=set_,
        allow_pickle=allow_pickle,
    )
    if archs is not None or len(named) > 1:
        listed = read_architectures(setup.space, named, archs)
        score_list(setup, listed, measure_latency=not no_latency, as_json=json_, columns=columns)
        return
    (architecture,) = named
    evaluator = setup.evaluator()
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    with plugin_errors(f"space {setup.space.id!r}"):
        metrics = evaluator.counts(architecture)
    seconds["cost"] = time.perf_counter() - start
    components, spent, failure = evaluator.score(architecture, setup.scoring.components)
    seconds |= spent
    latency: Latency | None = None
    measured: dict[str, Latency] = {}
    if not no_latency:
        start = time.perf_counter()
        with plugin_errors(f"measuring {setup.space.id!r}"):
            latency, measured = evaluator.measured_metrics(architecture)
        seconds["latency"] = time.perf_counter() - start
    for notice in setup.notices:
        print_notice(f"note: {notice}")
    if json_:
        print_json(
            {
                "schema": "denas.score/1",
                "space": setup.space.id,
                "key": architecture.key,
                "arch": architecture.as_dict(),
                "notation": setup.space.format(architecture),
                "seed": setup.config.seed,
                **_data_of(setup),
                "components": components,
                "failure": failure,
                "metrics": metrics | {name: metric.median for name, metric in measured.items()},
                "latency": None if latency is None else latency.as_dict(),
                "seconds": seconds,
            }
        )
    else:
        rows: list[list[object]] = [[name, value, seconds.get(name)] for name, value in components.items()]
        # A component may be one of the metrics, such as the FLOPs.
        rows += [
            [name, value, seconds["cost"] if name == "params" else None]
            for name, value in metrics.items()
            if name not in components
        ]
        rows += [
            [name, _interval(metric), seconds["latency"] if name == "latency_ms" else None]
            for name, metric in measured.items()
        ]
        print_text(f"{setup.space.id} {architecture.key}\n{setup.space.format(architecture)}\n")
        print_table(["quantity", "value", "seconds"], rows, chosen=columns, more=MORE)
    if failure:
        raise NoResult(f"the architecture cannot be scored: {failure}")


def latency(
    source: SourceArgument = None,
    arch: ArchOption = None,
    config: ConfigOption = None,
    probe: ProbeOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """Measure the latency of one architecture.

    The latency is measured on this machine, with a confidence interval. For a run, its configuration is used.
    """
    from denas_core.isolation.plugin_errors import plugin_errors

    setup, (architecture,) = _setup(
        source,
        [arch],
        file=config,
        given={"probe": probe, "seed": seed, "device": device},
        settings=set_,
        allow_pickle=allow_pickle,
    )
    with plugin_errors(f"measuring {setup.space.id!r}"):
        measured, metrics = setup.evaluator().measured_metrics(architecture)
    if json_:
        print_json(
            {
                "schema": "denas.latency/1",
                "space": setup.space.id,
                "key": architecture.key,
                "device": setup.device,
                "probe": setup.config.probe.name,
                "probe_options": setup.config.probe.options,
                **measured.as_dict(),
                "metrics": {name: metric.median for name, metric in metrics.items()},
            }
        )
        return
    print_table(
        [*metrics, "rounds", "left out", "relative to the reference"],
        [[*map(_interval, metrics.values()), measured.rounds, measured.dropped, measured.relative]],
        chosen=columns,
        more=MORE,
    )
    if measured.reason:
        print_text(f"{measured.verdict}: {measured.reason}")


def _setup(
    source: str | None, archs: Sequence[str | None], *, file: str | None, **options: Any
) -> tuple[Setup, list[Architecture]]:
    from denas_core.cli.run_source import NO_ARCHITECTURE, choose_architecture, find_run, read_config
    from denas_core.registry.registry import Registry
    from denas_core.setup.setup import Setup

    registry = Registry.discover()
    run = find_run(source, registry)
    if run is not None and file is not None:
        raise ConfigError(
            f"--config and run {source!r} exclude each other: the run has its own configuration"
        )
    if run is None and None in archs:
        raise ConfigError(NO_ARCHITECTURE)
    stored = None if run is None else read_config(run)
    config = build_config(source if run is None else None, file=file, stored=stored, **options)
    # Bounds are for searches; one architecture is what it is.
    config = config.model_copy(update={"constraints": ()})
    setup = Setup.from_config(config, registry, measure_latency=True)
    setup.open_data()
    return setup, [choose_architecture(setup.space, run, arch) for arch in archs]


def _data_of(setup: Setup) -> dict[str, Any]:
    if setup.data is None:
        return {}
    return {"data": {**setup.config.as_dict()["data"], **setup.data.as_dict()}}


def _interval(latency: Latency) -> str:
    return f"{cell(latency.median)} [{cell(latency.low)}, {cell(latency.high)}] {latency.verdict}"
