"""``denas latency``: measure one network, and the model that predicts the latency of the others."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import (
    AllowPickleOption,
    ConfigOption,
    DeviceOption,
    JsonOption,
    ProbeOption,
    QuietOption,
    SetOption,
    build_config,
)
from denas_core.cli.help_pages import HelpGroup
from denas_core.cli.output import print_json, print_next, print_notice, print_table, print_text
from denas_core.cli.work_progress import WorkProgress
from denas_core.errors import ConfigError

from .latency_measure import measure
from .score import latency

if TYPE_CHECKING:
    from denas_core.latency.model import LatencyModel
    from denas_core.setup.setup import Setup

NETWORK = "network"
HERE = "--here"


class LatencyGroup(HelpGroup):
    """Takes ``denas latency RUN`` as the command ``network``, and with ``--here`` as the command ``measure``."""

    def with_command(self, args: list[str]) -> list[str]:
        """Return arguments that name a command: the one that measures one network or a front, if they name none."""
        if HERE in args:
            return ["measure", *(argument for argument in args if argument != HERE)]
        named = not args or args[0] in self.commands or args[0] in ("-h", "--help")
        return list(args) if named else [NETWORK, *args]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read arguments after a command is named."""
        parsed: list[str] = super().parse_args(ctx, self.with_command(args))
        return parsed


app = typer.Typer(
    cls=LatencyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure latency, or build the model of it. A search predicts latencies by this model. 'denas latency RUN' is "
    "the same as 'denas latency network RUN', and 'denas latency RUN --here' as 'denas latency measure RUN'.",
)
app.command(NETWORK)(latency)
app.command()(measure)

SpaceArgument = Annotated[
    str | None, typer.Argument(metavar="SPACE", help="Search space such as cv/cnn; not needed with --config.")
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="JSON file.")]
OfSpaceOption = Annotated[
    str | None, typer.Option("--space", metavar="SPACE", help="Search space; not needed with --config.")
]


@app.command()
def calibrate(
    space: SpaceArgument = None,
    config: ConfigOption = None,
    probe: ProbeOption = None,
    device: DeviceOption = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="How long this may take; less time, fewer networks.")
    ] = 60.0,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build the latency model of a space on this machine.

    Times the operators of the space, measures about 20 networks, and prints how far the model is from networks that it
    has not seen. A search does the same by itself when it needs a model that is not there.
    """
    if not math.isfinite(seconds):
        raise ConfigError(f"--seconds {seconds} is not a number of seconds")
    setup = _setup(space, config, probe, device, set_, allow_pickle)
    model = _calibrated(setup, seconds=seconds, fresh=True, quiet=quiet)
    if json_:
        print_json({**_summary(model), "model": model.as_dict()})
        return
    _print(model)


@app.command()
def export(
    file: FileArgument,
    space: OfSpaceOption = None,
    config: ConfigOption = None,
    probe: ProbeOption = None,
    device: DeviceOption = None,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Write the latency model of a space on this machine into a file.

    The model must exist: 'denas latency calibrate' and every search with a bound on latency build it.
    """
    from denas_core.system.atomic import write_json

    model = _kept(_setup(space, config, probe, device, set_, allow_pickle))
    write_json(file, model.as_dict())
    print_notice(f"wrote {str(file)!r}: {model.describe_error()}")
    print_next([f"denas latency import {shlex.quote(file.name)} --machine NAME"])


@app.command("import")
def import_(
    file: FileArgument,
    machine: Annotated[
        str | None,
        typer.Option("--machine", metavar="NAME", help="Name of the other machine that the file is from."),
    ] = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Keep a latency model, or the operator times of another machine, on this machine.

    A file from this machine takes the place of its model. A file from another machine is kept under --machine.
    """
    from denas_core.isolation.plugin_errors import plugin_errors
    from denas_core.latency.exchange import describe_target, keep_model, read_file, with_times
    from denas_core.latency.model import SCHEMA, LatencyModel
    from denas_core.registry.registry import Registry
    from denas_core.system.machine import check_machine_name

    machine = None if machine is None else check_machine_name(machine)
    document, origin = read_file(file), f"{str(file)!r}"
    options = {**document["space"]["options"], **({"allow_pickle": True} if allow_pickle else {})}
    registry = Registry.discover()
    space = registry.create("space", document["space"]["name"], options, origin=origin)
    with plugin_errors(f"space {space.id!r}"):
        if document["schema"] == SCHEMA:
            model = LatencyModel.from_dict(document, space, origin=origin)
        else:
            if machine is None:
                raise ConfigError(
                    f"{origin} has operator times of another machine; name it with --machine NAME"
                )
            here = _here(document, space, registry, origin)
            model = with_times(here, document, origin=origin)
            print_notice(
                "note: no network was measured on that machine, so the error of the model there is unknown"
            )
        place = keep_model(model, machine=machine)
    print_text(f"{space.id}: {describe_target(model.target)}\nkept in {place}")
    if machine is not None:
        bound = shlex.quote("latency_ms<=...")
        print_next(
            [f"denas search {shlex.quote(space.id)} --constraint {bound} --machine {shlex.quote(machine)}"]
        )


@app.command()
def script(
    out: Annotated[Path, typer.Argument(metavar="OUT.py", help="Script to write; OUT.json goes beside it.")],
    space: OfSpaceOption = None,
    config: ConfigOption = None,
    probe: ProbeOption = None,
    device: DeviceOption = None,
    set_: SetOption = None,
    allow_pickle: AllowPickleOption = False,
) -> None:
    """Write a script that times the operators of a space on a machine that has only the runtime of the probe.

    The script needs only torch, or with --probe onnx/runtime only onnxruntime. Copy both files there, run the script,
    and import what it writes. The model of this machine gives the operators and the correction; it is built if it is
    not there.
    """
    from denas_core.isolation.plugin_errors import plugin_errors
    from denas_core.latency.exchange import operator_calls
    from denas_core.latency.timers import timer_of
    from denas_core.system.atomic import write_atomically, write_json

    if out.suffix != ".py":
        raise ConfigError(f"{str(out)!r} is not the name of a Python script; give a name that ends in .py")
    setup = _setup(space, config, probe, device, set_, allow_pickle)
    assert setup.probe is not None, "the set-up was told to keep it"
    model = _calibrated(setup, seconds=60.0)
    calls = out.with_suffix(".json")
    with plugin_errors(f"probe {setup.probe.id!r}"):
        timer = timer_of(setup.probe)
        source, document = timer.script(), operator_calls(model, timer)
    write_atomically(out, source)
    write_json(calls, document)
    print_notice(f"wrote {str(out)!r} and {str(calls)!r}; copy both to the other machine")
    print_next(
        [
            f"python {shlex.quote(out.name)} {shlex.quote(calls.name)} times.json",
            "denas latency import times.json --machine NAME",
        ]
    )


def _setup(
    space: str | None,
    config: str | None,
    probe: str | None,
    device: str | None,
    settings: list[str] | None,
    allow_pickle: bool,
) -> Setup:
    from denas_core.registry.registry import Registry
    from denas_core.setup.setup import Setup

    made = build_config(
        space,
        file=config,
        given={"probe": probe, "device": device},
        settings=settings,
        allow_pickle=allow_pickle,
    )
    # Bounds are for searches.
    made = made.model_copy(update={"constraints": ()})
    return Setup.from_config(made, Registry.discover(), measure_latency=True)


def _calibrated(setup: Setup, *, seconds: float, fresh: bool = False, quiet: bool = False) -> LatencyModel:
    from denas_core.isolation.plugin_errors import plugin_errors
    from denas_core.latency.calibrate import calibrated_model

    assert setup.probe is not None, "the set-up was told to keep it"
    if not quiet:
        print_notice("timing the operators of the space, then measuring networks ...")
    with plugin_errors(f"measuring {setup.space.id!r}"), WorkProgress("networks measured") as progress:
        return calibrated_model(
            setup.space,
            setup.probe,
            seed=setup.config.seed,
            device=setup.device,
            threads=setup.config.threads,
            seconds=seconds,
            on_progress=None if quiet else progress,
            fresh=fresh,
        )


def _kept(setup: Setup) -> LatencyModel:
    from denas_core.latency.calibrate import kept_model, model_name, target_of

    assert setup.probe is not None, "the set-up was told to keep it"
    target = target_of(setup.probe, device=setup.device, threads=setup.config.threads)
    model = kept_model(setup.space, model_name(setup.space, target))
    if model is None:
        raise ConfigError(
            f"there is no latency model of {setup.space.id!r} for probe {setup.probe.id!r} with these options on this "
            f"machine; build it with 'denas latency calibrate {setup.space.id}'"
        )
    return model


def _here(document: Any, space: Any, registry: Any, origin: str) -> LatencyModel:
    """Return the model of this machine that a file of operator times was made from."""
    from denas_core.latency.calibrate import kept_model, model_name, target_of
    from denas_core.latency.model import damaged

    try:
        target = document["target"]
        options = dict(target["probe"])
        probe = registry.create("probe", options.pop("name"), options, origin=origin)
        here = target_of(probe, device=target["device"], threads=int(target["threads"]))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(origin, error) from error
    model = kept_model(space, model_name(space, here))
    if model is None:
        raise ConfigError(
            f"operator times need the correction of a latency model of {space.id!r} on this machine, and there is "
            f"none; build it with 'denas latency calibrate {space.id}'"
        )
    return model


def _summary(model: LatencyModel) -> dict[str, Any]:
    return {
        "schema": "denas.latency-calibration/1",
        "space": model.space.id,
        "probe": model.target.probe["name"],
        "error": model.as_dict()["error"],
    }


def _print(model: LatencyModel) -> None:
    from denas_core.latency.exchange import describe_target

    print_text(f"{model.space.id}: {describe_target(model.target)}\n")
    rows = [[name, f"{weight:.3g}"] for name, weight in model.weights.items()]
    print_table(["term", "weight"], rows)
    print_text(f"\n{model.error}")
