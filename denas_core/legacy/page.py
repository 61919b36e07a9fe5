"""An imported configuration as a file for people: each line says which old key it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from denas_core.setup.config import as_scalar
from denas_core.text import printable

from .translate import Imported

FATES = {
    "translated": "translated",
    "default": "the default, left out",
    "unused": "left out: without effect in the original",
    "missing": "left out: without counterpart here",
    "elsewhere": "left out: set elsewhere",
    "unknown": "left out: unknown",
}
"""What became of a key, in words."""


def commented_yaml(imported: Imported, *, origin: str) -> str:
    """Return the new configuration as YAML, with the old keys as comments, and notes on the keys that need one."""
    kind = "training" if imported.is_training else "search"
    sources: dict[str, list[str]] = {}
    for key, outcome in imported.outcomes.items():
        for place in (*outcome.settings, *outcome.constraints):
            sources.setdefault(place, []).append(_old(imported, key))
    lines = [
        f"# Translated from {_one_line(origin)}, a {kind} configuration of the original DE-NAS.",
        "# 'denas show <component>' explains the options; what is not set here has its default.",
        *_lines(imported.document, sources),
    ]
    for fate, words in FATES.items():
        notes = [
            f"#   {_old(imported, key)}: {_one_line(outcome.note)}"
            for key, outcome in imported.outcomes.items()
            if outcome.fate == fate and outcome.note
        ]
        if notes:
            lines += ["#", f"# {words[0].upper()}{words[1:]}:", *notes]
    return "\n".join(lines) + "\n"


def _lines(
    mapping: Mapping[str, Any], sources: Mapping[str, list[str]], path: tuple[str, ...] = ()
) -> Iterator[str]:
    space = "  " * len(path)
    for key, value in mapping.items():
        place = (*path, key)
        if isinstance(value, dict):
            yield f"{space}{key}:"
            yield from _lines(value, sources, place)
        elif key == "constraints":
            yield f"{space}{key}:"
            yield from (f"{space}  - {text}{_comment(sources, text)}" for text in value)
        else:
            yield f"{space}{key}: {as_scalar(value)}{_comment(sources, '.'.join(place))}"


def _comment(sources: Mapping[str, list[str]], place: str) -> str:
    return f"  # {', '.join(sources[place])}" if place in sources else ""


def _old(imported: Imported, key: str) -> str:
    if key not in imported.old:
        return key
    return f"{_one_line(key, 60)}: {_one_line(json.dumps(imported.old[key]), 30)}"


def _one_line(text: str, most: int = 300) -> str:
    flat = printable(text)
    return flat if len(flat) <= most else f"{flat[: most - 3]}..."
