"""What commands print: JSON for programs and tables for people on standard output, notices on standard error."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from denas_core.text import quantity

if TYPE_CHECKING:
    from rich.progress import Progress
from denas_core.text import printable


def print_json(document: Any) -> None:
    """Print a document as JSON, and nothing else."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    file: TextIO | None = None,
) -> None:
    """Print a table, by default on standard output; numbers are right-aligned, and nothing in it is markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, highlight=False)
    body = [[cell(value) for value in row] for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(body) and all(_is_number(row[index]) for row in body)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(text) for text in row))
    # A pipe has no width: lines stay whole there.
    stream = sys.stdout if file is None else file
    width = shutil.get_terminal_size().columns if stream.isatty() else 400
    Console(file=stream, width=width).print(table)


def print_notice(text: str) -> None:
    """Print a line for people on standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")


def terminal_bar() -> Progress:
    """Return a bar on standard error, not yet started: percentage, bar and a line of text."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.percentage:3.0f}%"),
        BarColumn(bar_width=24),
        TextColumn("{task.description}", markup=False),
        console=Console(file=sys.stderr),
        redirect_stdout=False,
        redirect_stderr=False,
    )


def cell(value: object) -> str:
    """Return a value as tables show it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return quantity(value) if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return quantity(value) if abs(value) >= 10_000 else f"{value:.4g}"
    return printable(str(value))


def _is_number(text: str) -> bool:
    # With a unit or a suffix; what merely begins with a digit, such as a key, is text.
    return text == "-" or re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?( ?[a-zA-Z%]{1,3})?", text) is not None
