"""Decide whether the first row of a table is a header."""

from __future__ import annotations

from collections.abc import Sequence

from .names import is_known_name

_PROBED = 1000
_FEW = 50
"""A column with at most this many different values may be one of labels."""


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has the names of the columns.

    It has none if one of its fields is a number, or is a value of a column with few different values.
    """
    first, others = rows[0], rows[1:_PROBED]
    if any(
        is_known_name(field) and all(row[place] != field for row in others)
        for place, field in enumerate(first)
    ):
        return True
    if any(map(_is_number, first)) or not all(field.strip() for field in first[1:]):
        return False
    for place, field in enumerate(first):
        values = [row[place] for row in others]
        if field in values and len(set(values)) <= min(_FEW, max(len(values) // 2, 1)):
            return False
    return True


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
