"""How values are written for people, and how text from plugins and users is made harmless to the eye."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import DASH
from denas_core.values.metrics import CORE

LONGEST = 2000
"""Characters of one text that are shown."""


TIMES = "\u00d7"

_NEWLINE = "\n"
# Controls, formats (bidirectional overrides among them), surrogates, private use, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return `text` with every character that cannot be seen, or that moves others, shown as a symbol.

    Control characters become their pictures (``␀``), others their number (``⟨U+202E⟩``). Line breaks stay.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} further characters)"
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character == _NEWLINE or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def shape(sizes: Sequence[int] | None) -> str:
    """Return the shape of a tensor as ``64 x 8 x 8``, with true signs."""
    return DASH if not sizes else f" {TIMES} ".join(map(str, sizes))


def titles_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what people call each metric of a report, by its name."""
    core = {metric.name: metric.title for metric in CORE}
    return core | {metric["name"]: metric["title"] for metric in document["metrics"]}
