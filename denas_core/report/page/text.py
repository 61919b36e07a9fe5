"""How values are written for people, and how text from plugins and users is made harmless to the eye."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from denas_core.values.objectives import quantity

LONGEST = 2000
"""Characters of one text that are shown."""

DASH, TIMES = "\u2013", "\u00d7"

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


def number(value: Any) -> str:
    """Return a number with four digits, a large one with its suffix; a dash for none."""
    if value is None:
        return DASH
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if abs(value) >= 10_000:
        return quantity(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def percent(value: float | None) -> str:
    """Return a share as per cent: with a decimal where it is below one, without otherwise."""
    if value is None:
        return DASH
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value:.1%}" if 0 < abs(value) < 0.01 else f"{value:.0%}"


def seconds(value: float | None) -> str:
    """Return a time span."""
    if value is None:
        return DASH
    if value < 1:
        return f"{value * 1000:.3g} ms"
    if value < 120:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def shape(sizes: Sequence[int] | None) -> str:
    """Return the shape of a tensor as ``64 x 8 x 8``, with true signs."""
    return DASH if not sizes else f" {TIMES} ".join(map(str, sizes))


METRICS = {
    "params": "parameters",
    "trainable_params": "trainable parameters",
    "flops": "FLOPs",
    "size_mb": "size (MB)",
    "memory_mb": "memory (MB)",
    "latency_ms": "latency (ms)",
    "rtf": "real-time factor",
}


def metric_name(name: str) -> str:
    """Return a metric as people call it."""
    return METRICS.get(name, name)
