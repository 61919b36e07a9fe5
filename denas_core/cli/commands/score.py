"""``denas score`` and ``denas latency``: one architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from denas_core.cli.arguments import (
    AllowPickleOption,
    ArchOption,
    ConfigOption,
    DeviceOption,
    JsonOption,
    SetOption,
    WeightsOption,
    build_config,
    read_architecture,
)
from denas_core.cli.output import cell, print_json, print_notice, print_table

if TYPE_CHECKING:
    from denas_core.setup.config import RunConfig
    from denas_core.setup.setup import Setup
    from denas_core.values.latency import Latency

SpaceArgument = Annotated[
    str | None, typer.Argument(help="Search space, e.g. cv/cnn; not needed with --config.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Seed of weights and batches. [default: 0]")]


def score(
    arch: ArchOption,
    space: SpaceArgument = None,
    config: ConfigOption = None,
    weights: WeightsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    no_latency: Annotated[bool, typer.Option("--no-latency", help="Do not measure latency.")] = False,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
) -> None:
    """Score one architecture: every component, parameters, FLOPs, latency, and the seconds spent on each."""
    import time

    from denas_core.errors import NoResult
    from denas_core.isolation.plugin_errors import plugin_errors

    setup = _setup(
        build_config(
            space,
            file=config,
            given={"seed": seed, "device": device},
            weights=weights,
            settings=set_,
            allow_pickle=allow_pickle,
        )
    )
    architecture = read_architecture(setup.space, arch)
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
                "components": components,
                "failure": failure,
                "metrics": metrics | {name: metric.median for name, metric in measured.items()},
                "latency": None if latency is None else latency.as_dict(),
                "seconds": seconds,
            }
        )
    else:
        rows: list[list[object]] = [[name, value, seconds.get(name)] for name, value in components.items()]
        rows += [
            [name, value, seconds["cost"] if name == "params" else None] for name, value in metrics.items()
        ]
        rows += [
            [name, _interval(metric), seconds["latency"] if name == "latency_ms" else None]
            for name, metric in measured.items()
        ]
        typer.echo(f"{setup.space.id} {architecture.key}\n{setup.space.format(architecture)}")
        print_table(["", "value", "seconds"], rows)
    if failure:
        raise NoResult(f"the architecture cannot be scored: {failure}")


def latency(
    arch: ArchOption,
    space: SpaceArgument = None,
    config: ConfigOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
) -> None:
    """Measure the latency of one architecture on this machine, with its confidence interval."""
    from denas_core.isolation.plugin_errors import plugin_errors

    given = {"seed": seed, "device": device}
    setup = _setup(build_config(space, file=config, given=given, settings=set_, allow_pickle=allow_pickle))
    architecture = read_architecture(setup.space, arch)
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
        [*metrics, "rounds", "relative to the smallest"],
        [[*map(_interval, metrics.values()), measured.rounds, measured.relative]],
    )


def _setup(config: RunConfig) -> Setup:
    from denas_core.registry.registry import Registry
    from denas_core.setup.setup import Setup

    # Bounds are for searches; one architecture is what it is.
    return Setup.from_config(
        config.model_copy(update={"constraints": ()}), Registry.discover(), measure_latency=True
    )


def _interval(latency: Latency) -> str:
    return f"{cell(latency.median)} [{cell(latency.low)}, {cell(latency.high)}] {latency.verdict}"
