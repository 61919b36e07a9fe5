"""The commands of ``denas`` as one Typer application."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from denas_core.version import __version__

from .plugin_commands import CommandGroup
from .table import COMMANDS, GROUPS

app = typer.Typer(
    name="denas",
    cls=CommandGroup,
    help="Find a compact neural network for your problem and hardware, without training one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # Commands and groups below, those of plugins too, take it over.
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 no result, 2 usage, 3 broken plugin, 4 run busy, 5 store damaged, 6 I/O, 7 infeasible.",
)


def _version(value: bool) -> None:
    if value:
        from denas_core.registry.registry import CORE, Registry

        typer.echo(f"denas {__version__}")
        for plugin in Registry.discover().plugins:
            # The core is a plugin, too, and has the version of the first line.
            if plugin.name != CORE:
                status = "" if plugin.status == "ok" else f" ({plugin.status})"
                typer.echo(f"{plugin.distribution} {plugin.version}{status}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the versions of DE-NAS and its plugins."
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    # --debug is read before Typer runs; it stands here for the help page.
    pass


def _load(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(f"denas_core.cli.commands.{module}"), name)


for _name, _reference in COMMANDS.items():
    app.command(_name)(_load(_reference))
for _name, _reference in GROUPS.items():
    app.add_typer(_load(_reference), name=_name)
