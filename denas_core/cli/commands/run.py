"""``denas run``: list and remove runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denas_core.cli.arguments import ColumnsOption, JsonOption
from denas_core.cli.completion import runs
from denas_core.cli.help_pages import HelpGroup
from denas_core.cli.output import MORE, print_json, print_notice, print_table, print_text
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.results.trained import TrainedNetwork
    from denas_core.runs.inventory import RunSummary

app = typer.Typer(cls=HelpGroup, no_args_is_help=True, rich_markup_mode=None, help="List and remove runs.")


@app.command()
def ls(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of runs, or a run.")] = Path(
        "runs"
    ),
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """List the runs in a directory.

    Prints what each run searches, how far it has come, and how large it is.
    """
    from denas_core.results.compare_trained import kept_network_of
    from denas_core.runs.inventory import list_runs
    from denas_core.system.atomic import storage_errors
    from denas_core.text import seconds

    with storage_errors(directory):
        if not directory.is_dir():
            raise ConfigError(f"there is no directory {str(directory)!r}; name the one that holds your runs")
        runs, others = list_runs(directory)
    kept = {run.path: kept_network_of(run.path) for run in runs}
    if json_:
        networks = {path: None if one is None else one.as_dict() for path, one in kept.items()}
        rows = [{**run.as_dict(), "network": networks[run.path]} for run in runs]
        print_json({"schema": "denas.runs/1", "directory": str(directory), "runs": rows})
        return
    if runs:
        print_table(
            [
                *("run", "state", "space", "scored", "best params", "trained", "samples", "chance"),
                *("budget", "age", "size"),
            ],
            [
                [
                    run.path,
                    run.state,
                    run.space,
                    run.scored,
                    run.best_params,
                    _trained(run, kept[run.path]),
                    None if (one := kept[run.path]) is None else one.samples,
                    None if one is None else one.chance,
                    run.budget,
                    None if run.age_seconds is None else seconds(run.age_seconds),
                    readable_size(run.bytes),
                ]
                for run in runs
            ],
            least=("size", "age", "budget"),
            chosen=columns,
            more=MORE,
        )
    else:
        print_text(f"no runs in {directory}; 'denas search' makes one")
    for run in runs:
        if run.reason:
            print_notice(f"note: {run.reason}")
    if others:
        print_notice(
            f"note: {len(others)} other {'entries are not runs' if len(others) > 1 else 'entry is not a run'}"
        )


def _trained(run: RunSummary, network: TrainedNetwork | None) -> str | None:
    """Return the metric of the trained network as text; how far a race is if there is none yet."""
    if network is None or network.value is None or network.metric is None:
        return run.trained
    return f"{network.metric} {network.value:.4g}"


@app.command()
def rm(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run directories.", autocompletion=runs)
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
) -> None:
    """Remove runs.

    Other files in their directories stay. A removed run cannot be restored.
    """
    from denas_core.runs.inventory import size_on_disk, summarise
    from denas_core.runs.removal import check_removable, remove_runs

    check_removable(runs)
    # One directory may be named in several ways.
    unique = list({path.resolve(): path for path in reversed(runs)}.values())[::-1]
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("removing runs asks first, and standard input is not a terminal; add --yes")
        for path in unique:
            run = summarise(path)
            trials = "" if run.scored is None else f", {run.scored} scored trials"
            typer.echo(f"{path}: {run.state}{trials}, {readable_size(run.bytes)}", err=True)
        typer.confirm("Remove for ever?", abort=True, err=True)
    sizes = {path: size_on_disk(path) for path in unique}
    for removal in remove_runs(unique):
        if removal.kept:
            left = ", ".join(removal.kept)
            print_text(f"removed the run in {removal.path}; kept what else is there: {left}")
        else:
            typer.echo(f"removed {removal.path} ({readable_size(sizes[removal.path])})")


def readable_size(count: int) -> str:
    """Return a number of bytes as people write it."""
    for unit, factor in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < factor * 999.5:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1e12:.3g} TB"
