"""``denas data``: look at data before anything is searched or trained. Plugins add further commands to it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import cell, print_json, print_next
from denas_core.cli.plugin_commands import OpenGroup
from denas_core.cli.task_options import DevOption, TrainOption, VocabOption, short_forms, task_settings
from denas_core.system.terminal import break_lines

if TYPE_CHECKING:
    from denas_core.setup.describing import Described

WIDTH = 80
INDENT = 10
MOST_LABELS = 10

app = typer.Typer(
    cls=OpenGroup, no_args_is_help=True, rich_markup_mode=None, help="Look at data sets before training."
)


@app.callback()
def _data() -> None:
    # Without this callback, typer would merge the only subcommand into `denas data`.
    pass


@app.command("describe")
def describe(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or folder with data of any kind.")],
    task: Annotated[
        str | None, typer.Option("--task", metavar="NAME", help="Ask this task alone. [default: every task]")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="task.KEY=VALUE",
            help="Option of the task, as of 'denas train', such as task.text=review.",
        ),
    ] = None,
    train: TrainOption = None,
    dev: DevOption = None,
    vocab: VocabOption = None,
    json_: JsonOption = False,
) -> None:
    """Say what data are, and which task and search space suit them.

    Names, headers and a few samples are read, and nothing is trained. Every installed task is asked.
    """
    from denas_core.registry.registry import Registry
    from denas_core.setup.describing import describe_data

    short = {name: value for name, value in short_forms(train=train, dev=dev, vocab=vocab).items() if value}
    options = {**task_settings(set_ or []), **short}
    found = describe_data(Registry.discover(), path, task=task, options=options)
    described = [one for one in found if one.description is not None]
    if json_:
        print_json({"schema": "denas.data/1", "data": str(path), "tasks": [one.as_dict() for one in found]})
    elif described:
        exact = [one for one in described if one.is_exact] or described
        for number, one in enumerate(exact):
            typer.echo("\n" * bool(number) + "\n".join(_lines(one)))
        if others := [one.task for one in described if one not in exact]:
            typer.echo("\n".join(break_lines(f"also readable by {', '.join(others)}", WIDTH)))
        named = [] if task is None else ["--task", task]
        given = [*(set_ or []), *(f"task.{name}={value}" for name, value in short.items())]
        settings = [word for setting in given for word in ("--set", setting)]
        print_next([shlex.join(["denas", "build", str(path), "--time", "10min", *named, *settings])])
    if not described:
        # Faults matter where no task reads the data.
        fault = found[0].fault
        assert fault is not None, "what has no description has a fault"
        raise fault


def _lines(one: Described) -> list[str]:
    found = one.description
    assert found is not None, "only descriptions are shown"
    lines = [
        *_row("format", found.format),
        *_row("task", one.task),
        *_row("samples", ", ".join(f"{part} {cell(count)}" for part, count in found.samples.items())),
    ]
    if found.labels:
        shown = list(found.labels.items())[:MOST_LABELS]
        lines += _row("labels", str(len(found.labels)))
        width = max(len(label) for label, _ in shown)
        lines += [f"{'':{INDENT}}{label[:50]:{min(width, 50)}}  {count}" for label, count in shown]
        if more := len(found.labels) - len(shown):
            lines.append(f"{'':{INDENT}}and {more} more")
    for name, value in found.facts.items():
        lines += _row(name, _text(value))
    if found.task_options:
        lines += _row("read with", ", ".join(f"task.{k}={_text(v)}" for k, v in found.task_options.items()))
    if found.space_options:
        lines += _row("networks", ", ".join(f"{k}={_text(v)}" for k, v in found.space_options.items()))
    if found.spaces:
        lines += _row("spaces", ", ".join(found.spaces))
    for notice in found.notices:
        lines += _row("note", notice)
    return lines


def _row(name: str, text: str) -> list[str]:
    """Return lines with a name at the left; a long name has a line of its own."""
    parts = break_lines(text, WIDTH - INDENT)
    head = f"{name:{INDENT}}" if len(name) < INDENT else f"{name}\n{'':{INDENT}}"
    return [head + parts[0], *(f"{'':{INDENT}}{part}" for part in parts[1:])]


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    return cell(value)
