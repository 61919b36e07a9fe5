"""The notation of the original DE-NAS: ``(layers, heads, width of attention, hidden width, intermediate width)``."""

from __future__ import annotations

import re
from typing import Any

from denas_core.errors import ConfigError
from denas_hf import Dimensions

_NUMBER = re.compile(r"[0-9]{1,6}")
_FORM = "'(layers, heads, qkv, hidden, intermediate)', such as (12, 12, 768, 768, 3072)"


def is_tuple(text: str) -> bool:
    """Return whether `text` looks like the original's tuple, correct or not."""
    return text.lstrip().startswith(("(", "["))


def parse_tuple(text: str, *, head_size: int, tied: bool, origin: str) -> dict[str, Any]:
    """Return the knob values of a tuple; list brackets are accepted too.

    Args:
        text: The tuple.
        head_size: Number of features of a head; the third number must be this times the number of heads.
        tied: Whether the hidden width must equal the width of attention.
        origin: The source of the text, for errors.

    Raises:
        ConfigError: there are not five whole numbers, or a width does not fit the heads.
    """
    entries = [entry.strip() for entry in text.strip().strip("()[]").split(",")]
    if entries[-1] == "":
        entries.pop()
    for entry in entries:
        if not _NUMBER.fullmatch(entry):
            raise ConfigError(
                f"{entry[:20]!r} is not a whole number in an architecture ({origin}); expected {_FORM}"
            )
    if len(entries) != 5:
        raise ConfigError(f"{len(entries)} numbers are not an architecture ({origin}); expected {_FORM}")
    layers, heads, attention, hidden, intermediate = map(int, entries)
    wanted = heads * head_size
    if attention != wanted:
        raise ConfigError(
            f"qkv {attention} of {text.strip()[:60]!r} is not {heads} heads of {head_size} features ({origin}); make "
            f"it {wanted}"
        )
    if not tied:
        return {"layers": layers, "heads": heads, "hidden": hidden, "intermediate": intermediate}
    if hidden != wanted:
        raise ConfigError(
            f"hidden {hidden} of {text.strip()[:60]!r} is not {heads} heads of {head_size} features, as it is in every "
            f"network that stock transformers load ({origin}); make it {wanted}, or use the preset 'denas'"
        )
    return {"layers": layers, "heads": heads, "intermediate": intermediate}


def format_tuple(sizes: Dimensions, *, attention: int) -> str:
    """Return the tuple of a network whose queries, keys and values are `attention` wide."""
    return f"({sizes.layers}, {sizes.heads}, {attention}, {sizes.hidden}, {sizes.intermediate})"
