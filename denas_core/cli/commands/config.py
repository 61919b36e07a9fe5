"""``denas config``: write, check and explain configurations."""

from __future__ import annotations

from typing import Annotated

import typer

from denas_core.cli.arguments import JsonOption, SetOption, build_config
from denas_core.cli.help_pages import HelpGroup
from denas_core.cli.output import print_json
from denas_core.errors import ConfigError

from . import importing

app = typer.Typer(
    cls=HelpGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write, check and explain configurations.",
)

TEMPLATE = """\
# A search: denas search --config this-file.yaml
# 'denas show <component>' explains the options of each component; 'denas config schema' every key.
space:
  name: {space}
  # Options of the space go beside its name, e.g. classes: 100
score:
  name: scores/de-score
  # weights: {{expressivity: 1, complexity: 1, saliency: 1, latency: 0}}
strategy:
  name: builtin/evolution
constraints:
  - params<=1M
  # - latency_ms<=5
objectives: [score, params, flops]
budget: 60s          # or a number of scored candidates, e.g. 200
seed: 0
device: auto
threads: 1
# out: runs/my-search
"""

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE|RUN", help="YAML configuration, or a run that has one.")
]


@app.command()
def init(
    space: Annotated[str, typer.Argument(help="Search space.")] = "cv/cnn",
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File to write. [default: standard output]")
    ] = None,
) -> None:
    """Write a commented configuration to start from."""
    from pathlib import Path

    from denas_core.setup.config import as_scalar
    from denas_core.system.atomic import write_atomically

    text = TEMPLATE.format(space=as_scalar(space))
    if out is None:
        typer.echo(text, nl=False)
        return
    if Path(out).exists():
        raise ConfigError(f"{out!r} exists; remove it first or choose another name")
    write_atomically(Path(out), text)


@app.command()
def validate(file: FileArgument, json_: JsonOption = False) -> None:
    """Check a configuration.

    Every component is made, every bound is checked and the data are opened; nothing is searched.
    """
    from denas_core.registry.registry import Registry
    from denas_core.setup.setup import Setup

    setup = Setup.from_config(build_config(None, file=file), Registry.discover())
    setup.check_feasible()
    setup.open_data()
    if json_:
        print_json({"schema": "denas.validate/1", "file": file, "valid": True, "notices": setup.notices})
        return
    typer.echo(f"{file}: valid")
    for notice in setup.notices:
        typer.echo(f"note: {notice}")


@app.command()
def schema() -> None:
    """Print the JSON schema of configurations."""
    from denas_core.setup.config import RunConfig

    print_json(RunConfig.model_json_schema())


@app.command()
def show(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE|RUN", help="YAML configuration, or a run that has one.")
    ] = None,
    space: Annotated[str | None, typer.Option("--space", help="Search space, if no file names one.")] = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Write out every option of every component.")
    ] = False,
    set_: SetOption = None,
    json_: JsonOption = False,
) -> None:
    """Print a configuration as DE-NAS reads it."""
    from denas_core.registry.registry import Registry
    from denas_core.setup.setup import Setup

    config = build_config(space, file=file, settings=set_)
    if resolved:
        config = Setup.from_config(config, Registry.discover()).config
    if json_:
        print_json(config.as_dict())
    else:
        typer.echo(config.as_yaml(), nl=False)


app.command("import")(importing.import_)
