"""The labels of a table: which there are, and those of each text."""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError
from denas_nlp.tables.values import label_of

_SEPARATORS = "|;,"
_MANY_NUMBERS = 20
"""More different numbers that are not whole are a scale, not labels."""

_MANY_LABELS = 100
_COMMA = re.compile(r"^([+-]?\d+),(\d+)$")


def several_of(value: Any, *, separator: str = "", names: Sequence[str] = ()) -> tuple[str, ...] | None:
    """Return the labels of a cell that may hold several; None if the cell is not of this form.

    Args:
        value: The value: a list, or a text with a separator. A text without a label is a text of no class.
        separator: The separator; empty if the first bar, semicolon or comma is meant.
        names: Names of the classes, of which values may be the numbers.
    """
    if isinstance(value, str):
        listed = _literal(value)
        if listed is None:
            mark = separator or next((mark for mark in _SEPARATORS if mark in value), "")
            listed = value.split(mark) if mark else [value]
            listed = [part for part in listed if part.strip()]
        value = listed
    elif not isinstance(value, (list, tuple)):
        value = [] if value is None else [value]
    found = [label_of(each, names) for each in value]
    return None if None in found else tuple(dict.fromkeys(str(label) for label in found))


def ordered_labels(labels: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """Return different labels in order: that of the names of the classes, else of numbers, else of the alphabet."""
    different = set(labels)
    if names and different <= set(names):
        return list(names)
    if all(re.fullmatch(r"[+-]?\d+", label) for label in different):
        return sorted(different, key=lambda label: (int(label), label))
    return sorted(different)


def check_labels(labels: Sequence[str], path: Path, column: str) -> None:
    """Check that the labels of the training texts are classes.

    Args:
        labels: The label of each text.
        path: The file.
        column: The column of the labels.

    Raises:
        ConfigError: there is one class only, or the column holds a scale or something else that is never repeated.
    """
    counts = Counter(labels)
    if len(counts) == 1:
        raise ConfigError(
            f"all {len(labels)} texts of {str(path)!r} have the label {next(iter(counts))!r} (column {column!r}); a "
            "classifier needs two labels"
        )
    if is_scale(labels):
        raise ConfigError(
            f"column {column!r} of {str(path)!r} holds {len(counts)} different numbers, such as {labels[0]!r}: it is a "
            "scale, not labels; divide it into classes, or predict the numbers with --task nlp/text-regression"
        )
    if len(counts) > _MANY_LABELS and len(counts) * 5 > len(labels):
        raise ConfigError(
            f"column {column!r} of {str(path)!r} has {len(counts)} different values in {len(labels)} rows: they are "
            "no labels; name the column of the labels with --set task.label=COLUMN"
        )


def is_scale(labels: Sequence[str]) -> bool:
    """Return whether labels are numbers of a scale: many different ones, not all of them whole or hardly repeated."""
    different = set(labels)
    numbers = [number_of(label) for label in different]
    if None in numbers:
        return False
    is_whole = all(number is not None and number % 1 == 0 for number in numbers)
    if is_whole:
        return len(different) > _MANY_LABELS and len(different) * 5 > len(labels)
    return len(different) > _MANY_NUMBERS


def number_of(text: str) -> float | None:
    """Return the finite number that a text spells, also with a decimal comma; None if it is none."""
    try:
        found = float(_COMMA.sub(r"\1.\2", text.strip()))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _literal(text: str) -> list[Any] | None:
    """Return the list that a text spells in JSON or Python, as tables that were saved as CSV have it."""
    if not (text.strip().startswith("[") and text.strip().endswith("]")):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    # As NumPy prints an array of texts.
    return re.findall(r"'([^']*)'", text) or None
