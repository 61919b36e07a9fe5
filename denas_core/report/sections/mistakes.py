"""What a trained network confuses or answers most wrongly, without what a damaged file has instead of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.runs.trainings import number

PAIR = ("expected", "predicted")


def readable_mistakes(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the classes that are confused, see `denas_core.confusion`; empty if the file does not have them."""
    labels, matrix = _list(stored.get("labels")), _list(stored.get("matrix"))
    rows = [[number(count) for count in _list(row)] for row in matrix]
    if labels and len(rows) == len(labels) and all(len(row) == len(labels) for row in rows):
        return (
            {}
            if any(None in row for row in rows)
            else {"labels": [str(one) for one in labels], "matrix": matrix}
        )
    pairs = [
        {**{name: str(pair[name]) for name in PAIR}, "count": pair["count"], "samples": pair["samples"]}
        for pair in _list(stored.get("pairs"))
        if isinstance(pair, dict)
        and all(name in pair for name in PAIR)
        and None not in (number(pair.get("count")), number(pair.get("samples")))
    ]
    return {"classes": number(stored.get("classes")) or len(pairs), "pairs": pairs} if pairs else {}


def readable_answers(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that are most wrong, see `denas_core.worst_answers`; empty if the file does not have them."""
    answers = [
        {
            "sample": str(one.get("sample") or ""),
            "expected": str(one.get("expected") or ""),
            "answered": None if one.get("answered") is None else str(one["answered"]),
            "errors": number(one.get("errors")),
        }
        for one in _list(stored.get("answers"))
        if isinstance(one, dict)
    ]
    if not answers:
        return {}
    return {
        "errors": str(stored.get("errors") or "errors"),
        "samples": number(stored.get("samples")),
        "wrong": number(stored.get("wrong")),
        "answers": answers,
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
