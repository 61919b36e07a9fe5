"""``denas build``: from data to a model in use, in one command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import DeviceOption, JsonOption, QuietOption, ScoreOption, TrackerOption
from denas_core.cli.output import print_json, print_next, print_notice, print_table, print_text
from denas_core.text import seconds

if TYPE_CHECKING:
    from denas_core.building.build import BuildResult


def build(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="A file or folder that an installed task recognises.")
    ],
    constraint: Annotated[
        list[str] | None,
        typer.Option(
            "--constraint", "-c", metavar="BOUND", help="Bound such as 'latency_ms<=5'; may be repeated."
        ),
    ] = None,
    time: Annotated[
        str, typer.Option("--time", "-t", metavar="TIME", help="Time of all steps: 90s, 10min or 1h.")
    ] = "10min",
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="FORM",
            help="Export form, as of 'denas export'; may be repeated, the first is the main one. [default: onnx where "
            "it is installed, else torch-export]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder of the result. [default: DATA-model]"),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Task. [default: the one that recognises the data]")
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", help="Search space. [default: one that suits data and time]")
    ] = None,
    score: ScoreOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    device: DeviceOption = None,
    tracker: TrackerOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a key of a step: space, strategy, probe, task, training, export, race.top or race.also.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print steps, decisions, reasons and times, and stop.")
    ] = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a model from your data, in the time that you give.

    Looks at the data, chooses a space, searches it, trains finalists side by side and the winner for longer, measures
    its quality, exports it, and measures the exported file against your bounds. A build that was stopped or killed goes
    on with the same command.
    """
    from denas_core.building.build import make_request, run_build
    from denas_core.building.observer import BuildObserver
    from denas_core.errors import NoResult
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    request = make_request(
        registry,
        data=data,
        constraints=constraint or [],
        time=time,
        to=to or [],
        out=out,
        task=task,
        space=space,
        score=score,
        seed=seed,
        device=device or "auto",
        settings=set_ or [],
        trackers=tracker or [],
    )
    observer = BuildObserver()
    if not quiet and not plan:
        from denas_core.cli.build_progress import BuildDisplay

        observer = BuildDisplay()
    result = run_build(request, registry, plan=plan, observer=observer)
    if json_:
        print_json(result.document)
    elif plan:
        _print_plan(result.document)
    else:
        _print(result, Path(out or result.path.name))
    broken = [one["bound"] for one in result.bounds if one["verdict"] == "broken"]
    if broken:
        raise NoResult(
            f"the exported file does not keep {' and '.join(broken)} on this machine; it is complete otherwise. Build "
            "with a smaller bound, or measure again when the machine is idle"
        )


def _print_plan(document: Mapping[str, Any]) -> None:
    print_table(["decision", "value", "reason"], _rows(document), prose=("value", "reason"))
    rows = [[_PHASES[one["step"]], seconds(one["planned"] or one["used"])] for one in document["plan"]]
    print_table(["step", "time"], rows, title="")


_PHASES = {
    "preparation": "preparation",
    "search": "search without training",
    "race": "race of finalists, a random and the largest network",
    "training": "training of the winner",
    "end": "evaluation, export, measurement and report",
}


def _rows(document: Mapping[str, Any]) -> list[list[Any]]:
    return [[one["what"], one["value"], one["reason"]] for one in document["decisions"]]


def _print(result: BuildResult, out: Path) -> None:
    document, found = result.document, result.document["result"]
    rows = [
        [_PHASES[one["step"]], *(seconds(one[name]) for name in ("planned", "given", "used"))]
        for one in document["plan"]
    ]
    whole = seconds(document["request"]["seconds"])
    print_table(
        ["step", "planned", "given", "used"], [*rows, ["all", whole, whole, seconds(document["seconds"])]]
    )
    values = ", ".join(f"{name} {value:.4g}" for name, value in found["metrics"].items())
    print_text(f"on {found['samples']} samples that it was not trained on: {values}")
    if said := found.get("nothing_learnt"):
        print_notice(
            f"note: {said}; build it again with a larger --time and another --out, or with more data"
        )
    latency = found["latency"]
    if latency is not None:
        print_text(
            f"latency of the exported file: {latency['median']:.3g} ms ({latency['low']:.3g} to "
            f"{latency['high']:.3g}, {latency['verdict']})"
        )
    for one in found["bounds"]:
        print_text(f"{one['bound']}: {_VERDICTS[one['verdict']]}")
    print_text(f"model: {result.model}")
    folder = shlex.quote(str(out))
    exported = next(step for name, step in document["steps"].items() if name.startswith("export "))
    alone = [] if exported["predict"] is None else [f"python {folder}/{exported['predict']} FILE..."]
    print_next([f"denas predict {folder} FILE...", *alone, f"denas report {folder}/search"])


_VERDICTS = {
    "holds": "kept",
    "broken": "not kept",
    "undecided": "undecided, the interval includes the bound",
    "unknown": "not measured",
}
