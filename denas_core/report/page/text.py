"""Texts of a report: invisible characters are made visible, shapes and metrics are written for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import DASH
from denas_core.values.metrics import CORE

LONGEST = 2000
"""Number of characters of a text that are shown."""

TIMES = "\u00d7"

_NEWLINE = "\n"
# Controls, formats (bidirectional overrides among them), surrogates, private use, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return `text` with a symbol instead of each character that is invisible or changes the order of others.

    A control character becomes its picture (``␀``), another character its number (``⟨U+202E⟩``). Line breaks stay.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} further characters)"
    if text.isprintable():
        return text
    return "".join(map(_as_symbol, text))


def _as_symbol(character: str) -> str:
    if character == _NEWLINE or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def shape(sizes: Sequence[int] | None) -> str:
    """Return the shape of a tensor such as ``64 x 8 x 8``, with multiplication signs."""
    return DASH if not sizes else f" {TIMES} ".join(map(str, sizes))


def titles_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the title of each metric of a report, by its name."""
    core = {metric.name: metric.title for metric in CORE}
    return core | {metric["name"]: metric["title"] for metric in document["metrics"]}
