"""What commands print: JSON for programs and tables for people on standard output, notices on standard error."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from denas_core.errors import ConfigError, did_you_mean
from denas_core.system.colour import paint
from denas_core.system.terminal import UNLIMITED, break_lines, terminal_width
from denas_core.system.terminal import print_notice as print_notice
from denas_core.text import number, printable

from .columns import Column, choose_columns, draw_table

ALL = "all"
"""What ``--columns`` takes for every column."""

MORE = f"--columns {ALL}, or --json"
"""How to see the columns that are left out, in commands with ``--columns``."""


def print_json(document: Any) -> None:
    """Print a document as JSON, and nothing else."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_table(
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    prose: Sequence[str] = (),
    least: Sequence[str] = (),
    chosen: str | None = None,
    more: str = "--json",
    in_parts: bool = False,
    file: TextIO | None = None,
) -> None:
    """Print a table as wide as the terminal allows; a line under it names the columns that do not fit.

    Args:
        names: Headings of the columns.
        rows: Values, one for each column.
        title: A line above the table, after an empty line; an empty title is the empty line alone.
        prose: Columns whose texts may be broken between words.
        least: Columns to leave out first, the least important one first.
        chosen: What the user gave as ``--columns``: only these columns are printed, however wide they are.
        more: How to see the columns that are left out.
        in_parts: Print the columns that do not fit as further tables, each with the first column, and leave none out.
        file: Where the table goes; by default standard output.

    Raises:
        ConfigError: `chosen` names a column that does not exist.
    """
    stream = sys.stdout if file is None else file
    body = [[cell(value) for value in row] for row in rows]
    columns = [
        Column(name=name, cells=[row[place] for row in body], is_prose=name in prose)
        for place, name in enumerate(names)
    ]
    width = UNLIMITED if chosen else terminal_width(stream)
    kept, left_out = choose_columns(_chosen(columns, chosen), width, least)
    titles = break_lines(title, width) if title else []
    lines = [] if title is None else ["", *(paint(line, "heading", stream) for line in titles)]
    lines += _painted(draw_table(kept, width, rule=_rule(stream)), stream)
    while in_parts and left_out:
        rest = [columns[0], *(column for column in columns if column.name in left_out)]
        kept, left_out = choose_columns(rest, width)
        # A column that is wider than the terminal makes a table of its own.
        kept, left_out = (kept, left_out) if len(kept) > 1 else (rest[:2], left_out[1:])
        lines += ["", *_painted(draw_table(kept, width, rule=_rule(stream)), stream)]
    if left_out:
        lines += break_lines(f"left out, too wide here: {', '.join(left_out)}; see {more}", width)
    stream.write("".join(f"{line}\n" for line in lines))


def print_text(text: str) -> None:
    """Print lines of prose on standard output, broken between words where they are longer than the terminal."""
    width = terminal_width(sys.stdout)
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        broken = [line] if len(line) <= width else break_lines(line, width - len(indent))
        sys.stdout.write("".join(f"{indent if part is not line else ''}{part}\n" for part in broken))


def print_paragraphs(text: str) -> None:
    """Print paragraphs on standard output; in a terminal the lines of each are joined and broken anew."""
    if sys.stdout.isatty():
        text = re.sub(r"(?<=\S)\n(?=[^\s*-])", " ", text)
    print_text(text)


def print_next(commands: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print what to do next: one command on each line, whole, so that it can be copied."""
    stream = sys.stdout if file is None else file
    with contextlib.suppress(OSError) if file is sys.stderr else contextlib.nullcontext():
        lines = [f"  {paint(command, 'command', stream)}\n" for command in commands]
        stream.write("".join([f"{paint('next:', 'heading', stream)}\n", *lines]))


def cell(value: object) -> str:
    """Return a value as tables show it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value)
    return printable(str(value))


def _painted(table: Sequence[str], stream: TextIO) -> list[str]:
    """Return the lines of a table with its headings and its rule in their styles."""
    headings, rule, *rows = table
    return [paint(headings, "heading", stream), paint(rule, "faint", stream), *rows]


def _chosen(columns: Sequence[Column], chosen: str | None) -> list[Column]:
    if chosen is None or chosen.strip() == ALL:
        return list(columns)
    by_name = {column.name: column for column in columns}
    names = [name.strip() for name in chosen.split(",")]
    for name in names:
        if name not in by_name:
            raise ConfigError(
                f"--columns {chosen!r}: there is no column {name!r}{did_you_mean(name, by_name)}; "
                f"there are {', '.join(by_name)}, and {ALL!r} stands for all of them"
            )
    return [by_name[name] for name in dict.fromkeys(names)]


def _rule(stream: TextIO) -> str:
    try:
        "─".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "-"
    return "─"
