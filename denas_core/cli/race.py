"""The race of ``denas train RUN --top N``: its options, what it prints, and its report."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.actions.training_options import GivenOptions
from denas_core.errors import ConfigError

from .completion import race_kinds
from .output import print_json, print_next, print_notice, print_table, print_text
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
        help="Networks to compare the finalists of a race with: random:2, largest or familiar; may be repeated.",
        autocompletion=race_kinds,
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
    from denas_core.actions.ready_race import prepare_race
    from denas_core.progress.race import RaceDisplay
    from denas_core.results.race import summarise_race
    from denas_core.runs.files import RACE

    if out is not None and run is not None and Path(run).is_dir():
        raise ConfigError(f"--top and --out exclude each other: a race is kept in {str(Path(run) / RACE)!r}")
    given, options = _split(given)
    shown: list[str] = []
    ready = prepare_race(
        run,
        given,
        registry,
        top=top,
        also=also,
        executor=executor,
        executor_options=options,
        resume=resume,
        notify=shown.append,
    )
    for notice in shown:
        print_notice(f"note: {notice}")
    result = ready.run([] if quiet else [RaceDisplay()])
    for notice in result.notices:
        if notice not in (*ready.race.record.notices, *shown):
            print_notice(f"note: {notice}")
    if as_json:
        print_json(result.document)
    else:
        print_race(summarise_race(result.document))
        data = shlex.quote(str(ready.plan.data))
        quoted = shlex.quote(str(ready.race.path))
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
