"""``denas new-plugin``: write a plugin to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json, print_next


def new_plugin(
    name: Annotated[str, typer.Argument(help="Name of the plugin, e.g. zen; its distribution is denas-zen.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", "-k", help="score, space, strategy or probe; may be repeated. [default: score]"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Directory to write. [default: denas-NAME]")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Write a plugin to start from.

    It can be installed, it runs, and it passes its checks.
    """
    from denas_core.errors import ConfigError
    from denas_core.registry.registry import Registry
    from denas_core.scaffold import plugin_name, render_plugin, write_plugin

    chosen = plugin_name(name)
    taken = {plugin.name: plugin for plugin in Registry.discover().plugins}
    if chosen in taken:
        owner = taken[chosen]
        raise ConfigError(
            f"plugin name {chosen!r} is taken by {owner.distribution} {owner.version}; choose another"
        )
    directory = out if out is not None else Path(f"denas-{chosen}")
    files = render_plugin(chosen, kind or ["score"])
    write_plugin(files, directory)
    if json_:
        print_json({"schema": "denas.new-plugin/1", "directory": str(directory), "files": sorted(files)})
        return
    typer.echo(f"wrote {directory}/")
    for path in files:
        typer.echo(f"  {path}")
    where = shlex.quote(str(directory))
    print_next([f"pip install -e {where} && denas check {chosen}"])
