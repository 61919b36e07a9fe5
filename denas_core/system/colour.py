"""Colour in what commands print: for terminals only, and never where the user does not want it."""

from __future__ import annotations

import os
from typing import Literal, TextIO

Style = Literal["heading", "faint", "error", "note", "command"]

_CODES: dict[Style, str] = {"heading": "1", "faint": "2", "error": "1;31", "note": "33", "command": "36"}


def paint(text: str, style: Style, stream: TextIO) -> str:
    """Return a text in a style if `stream` is a terminal that shows colours.

    ``NO_COLOR`` (https://no-color.org) with any value, and ``TERM=dumb``, switch colours off.
    """
    if not text or not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def paint_first_word(text: str, stream: TextIO) -> str:
    """Return a line that begins with ``error:`` or ``note:`` with this word in its colour."""
    for word, style in _WORDS.items():
        if text.startswith(word):
            return paint(word, style, stream) + text[len(word) :]
    return text


_WORDS: dict[str, Style] = {"error:": "error", "note:": "note"}
