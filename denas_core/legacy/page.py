"""An imported configuration as a file for people: each line says which old key it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from denas_core.setup.config import as_scalar
from denas_core.text import printable

from .translate import Imported


def commented_yaml(imported: Imported, *, origin: str) -> str:
    """Return the new configuration as YAML, with the old keys as comments."""
    sources = _sources(imported)
    lines = [
        f"# Translated from {_one_line(origin)}, a search configuration of the original DE-NAS.",
        "# 'denas show <component>' explains the options; what is not set here has its default.",
        *_lines(imported.document, sources, path=(), indent=0),
    ]
    left = [(key, outcome) for key, outcome in imported.outcomes.items() if _is_left_out(outcome.fate)]
    if left:
        lines += ["#", "# What has no place here:"]
        lines += [f"#   {_shown(key, imported.old[key])}: {_one_line(outcome.note)}" for key, outcome in left]
    return "\n".join(lines) + "\n"


def _is_left_out(fate: str) -> bool:
    return fate in ("dropped", "unknown", "changed")


def _sources(imported: Imported) -> dict[str, str]:
    """Return, by key or constraint of the new file, the old keys that it comes from."""
    sources: dict[str, list[str]] = {}
    for key, outcome in imported.outcomes.items():
        for place in (*outcome.settings, *outcome.constraints):
            sources.setdefault(place, []).append(_shown(key, imported.old[key]))
    return {place: ", ".join(names) for place, names in sources.items()}


def _lines(
    mapping: Mapping[str, Any], sources: Mapping[str, str], *, path: tuple[str, ...], indent: int
) -> Iterator[str]:
    space = " " * indent
    for key, value in mapping.items():
        place = ".".join((*path, key))
        if isinstance(value, dict):
            yield f"{space}{key}:"
            yield from _lines(value, sources, path=(*path, key), indent=indent + 2)
        elif key == "constraints":
            yield f"{space}{key}:"
            yield from (f"{space}  - {text}{_comment(sources.get(text))}" for text in value)
        else:
            yield f"{space}{key}: {as_scalar(value)}{_comment(sources.get(place))}"


def _comment(source: str | None) -> str:
    return f"  # {source}" if source else ""


def _shown(key: str, value: Any) -> str:
    return f"{_one_line(key, 60)}: {_one_line(json.dumps(value), 30)}"


def _one_line(text: str, most: int = 300) -> str:
    flat = printable(text)
    return flat if len(flat) <= most else f"{flat[: most - 3]}..."
