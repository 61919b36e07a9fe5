"""The race of ``denas train RUN --top N``: its options, what it prints, and its report."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.errors import ConfigError

from .output import print_json, print_next, print_notice, print_table, print_text
from .training_plan import GivenOptions, new_plan, resumed_plan
from .trial_tables import KEY_DIGITS

if TYPE_CHECKING:
    from denas_core.registry.registry import Registry

TopOption = Annotated[
    int | None,
    typer.Option(
        "--top",
        metavar="N",
        min=1,
        max=1000,
        help="Train so many finalists of the run in a race, and keep the best network.",
    ),
]
AlsoOption = Annotated[
    list[str] | None,
    typer.Option(
        "--also",
        metavar="KIND",
        help="Networks to compare the finalists of a race with: random:2, or largest; may be repeated.",
    ),
]
RaceExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor", metavar="NAME", help="Where the trainings of a race run. [default: builtin/process]"
    ),
]

PREFIX = "executor."


def wants_race(
    run: str | None, *, top: int | None, also: Sequence[str], executor: str | None, resume: bool
) -> bool:
    """Return whether the command is a race, and not a single training.

    Raises:
        ConfigError: an option of races is given without ``--top``.
    """
    from denas_core.racing.place import is_begun
    from denas_core.runs.files import TRAINING

    if top is not None:
        return True
    goes_on = resume and run is not None and is_begun(Path(run)) and not (Path(run) / TRAINING).exists()
    for option, is_given in (("--also", bool(also)), ("--executor", executor is not None)):
        if is_given and not goes_on:
            raise ConfigError(f"{option} is for a race of several networks; add --top N")
    return goes_on


def race(
    run: str | None,
    given: GivenOptions,
    registry: Registry,
    *,
    top: int | None,
    also: Sequence[str],
    executor: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a race, or go on with one, and print its result.

    Args:
        run: The run.
        given: The options of the trainings.
        registry: The installed plugins.
        top: Number of finalists.
        also: The other networks.
        executor: Where the trainings run.
        out: The directory that the user names, which a race does not take.
        resume: Go on with a race that was stopped.
        as_json: Print JSON.
        quiet: Print no progress.

    Raises:
        DenasError: see `Race.run`.
    """
    from denas_core.racing.begin import begin_race, resume_race
    from denas_core.racing.entrants import Also
    from denas_core.racing.executor import choose_executor
    from denas_core.racing.place import is_begun
    from denas_core.report.write import rewrite_report
    from denas_core.results.race import summarise_race
    from denas_core.runs.files import RACE, TRAINING, check_is_run
    from denas_core.training.result import read_result

    from .race_progress import RaceDisplay

    if run is None or not Path(run).is_dir():
        named = "no run is named" if run is None else f"{run!r} is not one"
        raise ConfigError(f"--top takes the run of a search, whose finalists take part in the race; {named}")
    if given.arch is not None:
        raise ConfigError(
            "--top and --arch exclude each other: a race trains the first finalists, and --arch names one network"
        )
    if out is not None:
        raise ConfigError(f"--top and --out exclude each other: a race is kept in {str(Path(run) / RACE)!r}")
    path = Path(run)
    check_is_run(path)
    given, options = _split(given)
    chosen = Also.parse(also)
    if resume:
        if not is_begun(path):
            raise ConfigError(f"there is no race in {run!r} to go on with; begin one without --resume")
        plan = resumed_plan(path / RACE, given, registry)
        found = resume_race(path, plan, top=top, also=chosen if also else None, registry=registry)
    else:
        assert top is not None, "wants_race() has seen it"
        plan = new_plan(run, given, registry, out=None)
        found = begin_race(path, plan, top=top, also=chosen, registry=registry)
    where, demand = choose_executor(
        registry, executor, options, trainings=len(found.record.racers), device=plan.device
    )
    was_over = found.record.result is not None
    if not was_over and not resume:
        for notice in found.record.notices:
            print_notice(f"note: {notice}")
    observers = [] if quiet else [RaceDisplay()]
    record = found.run(where, demand, observers)
    if not was_over:
        trained = read_result(path / TRAINING)
        known = set(record.notices)
        for notice in (*where.notices(), *(trained.notices if trained else ())):
            if notice not in known:
                print_notice(f"note: {notice}")
        for notice in rewrite_report(path):
            print_notice(f"note: {notice}")
    if as_json:
        print_json(record.as_dict())
    else:
        print_race(summarise_race(record.as_dict()))
        data = shlex.quote(str(plan.data))
        quoted = shlex.quote(run)
        print_next(
            [
                f"denas evaluate {quoted} --data {data}",
                f"denas export {quoted} --to safetensors",
                f"denas report {quoted}",
            ]
        )


def print_race(document: Mapping[str, Any], *, title: str | None = None) -> None:
    """Print the networks of a race, the best first, and who won.

    Args:
        document: The race, see `summarise_race`.
        title: A line above the table.
    """
    metric, rungs, rows = document["metric"], document["rungs"], document["rows"]
    has_failures = document["has_failures"]
    columns = [_epochs(metric, epochs) for epochs in rungs]
    print_table(
        ["network", "key", "params", "flops", *columns, *(["failure"] if has_failures else [])],
        [
            [
                row["name"],
                row["key"][:KEY_DIGITS],
                row["metrics"].get("params"),
                row["metrics"].get("flops"),
                *row["values"],
                *([row["failure"]] if has_failures else []),
            ]
            for row in rows
        ],
        title=title,
        prose=("network", "failure"),
        least=("flops", *columns[:-1], "params"),
    )
    if document["result"] is not None and title is None:
        # A report has said it before.
        print_text(document["result"]["sentence"])


def _epochs(metric: str, epochs: int) -> str:
    return f"{metric}, {epochs} ep."


def _split(given: GivenOptions) -> tuple[GivenOptions, dict[str, Any]]:
    """Return the options of the trainings, and those of the executor, which ``--set executor.KEY`` names."""
    import dataclasses

    from denas_core.setup.config import apply_settings

    ours = [setting for setting in given.settings if setting.strip().startswith(PREFIX)]
    rest = [setting for setting in given.settings if setting not in ours]
    options: dict[str, Any] = apply_settings({"executor": {}}, ours)["executor"]
    return dataclasses.replace(given, settings=rest), options
