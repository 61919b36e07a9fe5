"""Help pages that fit the terminal, also a narrow one, and break no name or word."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from denas_core.system.colour import paint

WIDEST, NARROWEST = 80, 30
"""Most and fewest columns of a help page. Click writes 50 at least, which a narrower terminal breaks within words."""

TEXT_COLUMNS = 46
"""Columns that the texts of options get before their names get more than `FEWEST_NAME_COLUMNS`."""

FEWEST_NAME_COLUMNS = 8

WHOLE_SENTENCE = 200
"""More characters than the first sentence of a command has."""

# Newer versions of Typer have their own copy of Click, so the class is taken from Typer.
_Formatter: Any = typer.Context.formatter_class


class HelpFormatter(_Formatter):  # type: ignore[misc]
    """Writes options and commands in two columns; in a narrow terminal, long names have a line of their own."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = min(shutil.get_terminal_size().columns, max_width or WIDEST)
        super().__init__(indent_increment, width or max(columns, NARROWEST) - 2, max_width)

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(f"{' ' * self.current_indent}{paint(f'{heading}:', 'heading', sys.stdout)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; one that begins with a line ``\\b`` keeps its lines, as in Click."""
        indent = " " * self.current_indent
        paragraphs = []
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
            lines = paragraph.splitlines()
            is_kept = lines[0].strip() == "\b"
            lines = lines[1:] if is_kept else _wrapped(paragraph, self.width - len(indent))
            paragraphs.append("".join(f"{indent}{line}\n" for line in lines))
        self.write("\n".join(paragraphs))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names and their texts."""
        longest = max(len(name) for name, _ in rows)
        names = min(longest, col_max, max(self.width - TEXT_COLUMNS - col_spacing, FEWEST_NAME_COLUMNS))
        indent = " " * (self.current_indent + names + col_spacing)
        for name, text in rows:
            lines = _wrapped(text, self.width - len(indent))
            if len(name) <= names and lines:
                name = f"{name:{names + col_spacing}}{lines.pop(0)}"
            self.write(" " * self.current_indent + name + "\n")
            for line in lines:
                self.write(f"{indent}{line}\n")


class HelpContext(typer.Context):
    """A context whose help pages `HelpFormatter` writes."""

    formatter_class = HelpFormatter


class HelpGroup(TyperGroup):
    """A group of commands whose help pages, and those of its commands, fit the terminal."""

    context_class = HelpContext

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name, or None."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _fit(command)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with its whole first sentence."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [
            (name, command.get_short_help_str(WHOLE_SENTENCE))
            for name, command in found.items()
            if command is not None and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _fit(command: Any) -> None:
    command.context_class = HelpContext
    # A group of a plugin is one of Typer's own.
    for inner in getattr(command, "commands", {}).values():
        _fit(inner)
