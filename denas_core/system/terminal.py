"""Lines for people in a terminal: how wide they may be, where they are broken, and notices on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

from .colour import paint_first_word

UNLIMITED = 1_000_000
"""Width of a file or a pipe: lines stay whole there."""


def print_notice(text: str) -> None:
    """Print a line for people on standard error, broken between words in a terminal; each part keeps its indent.

    Nothing stops because nobody reads it any more, as behind ``head``.
    """
    stream = sys.stderr
    indent = text[: len(text) - len(text.lstrip(" "))]
    first, *rest = break_lines(text[len(indent) :], terminal_width(stream) - len(indent))
    lines = [paint_first_word(first, stream), *rest]
    with contextlib.suppress(OSError):
        stream.write("".join(f"{indent}{line}\n" for line in lines))
        stream.flush()


def terminal_width(stream: TextIO) -> int:
    """Return the cells of a line of the terminal that a stream writes to; very many if it is not a terminal."""
    if not stream.isatty():
        return UNLIMITED
    if os.environ.get("COLUMNS", "").isdecimal():
        return int(os.environ["COLUMNS"]) or UNLIMITED
    try:
        # Some terminals do not know their width and report 0.
        return os.get_terminal_size(stream.fileno()).columns or UNLIMITED
    except (OSError, ValueError):
        return UNLIMITED


def break_lines(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` cells, broken between words; a longer word is broken within."""
    if width_of(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        if lines[-1] and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if lines[-1] and width_of(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines


def width_of(text: str) -> int:
    """Return the cells that a text takes in a terminal, where some characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
