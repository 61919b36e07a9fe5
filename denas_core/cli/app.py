"""The commands of ``denas``, in the order in which help shows them."""

from __future__ import annotations

from typing import Annotated

import typer

from denas_core import __version__

from .commands import (
    check,
    compare,
    config,
    doctor,
    evaluate,
    export,
    new_plugin,
    plugins,
    repair,
    report,
    run,
    score,
    search,
    train,
)
from .commands import trials as runs
from .plugin_commands import CommandGroup

app = typer.Typer(
    name="denas",
    cls=CommandGroup,
    help="Find a compact neural network for your problem and hardware, without training one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 ok, 1 no result, 2 usage, 3 broken plugin, 4 run busy, 5 store damaged, 6 I/O, 7 infeasible.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"denas {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    # --debug is read before Typer runs; it stands here for the help page.
    pass


app.command("search")(search.search)
app.command("trials")(runs.trials)
app.command("rank")(runs.rank)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("repair")(repair.repair)
app.command("score")(score.score)
app.command("latency")(score.latency)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("export")(export.export)
app.command("plugins")(plugins.plugins)
app.command("show")(plugins.show)
app.command("check")(check.check)
app.command("new-plugin")(new_plugin.new_plugin)
app.add_typer(run.app, name="run")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)


def core_commands() -> list[str]:
    """Return the names of the commands that the core has."""
    return list(typer.main.get_group(app).commands)
