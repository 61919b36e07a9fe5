"""Values of cells as texts and labels."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

MISSING = ("", "nan", "NaN", "null", "NULL")
"""Texts of cells without a value. A class may be called None or NA."""

_HALF = re.compile("[\ud800-\udfff]")


def composed(name: str) -> str:
    """Return a name with composed letters (NFC), so that names that look equal are equal."""
    return unicodedata.normalize("NFC", name)


def text_of(value: Any) -> str | None:
    """Return the text of a cell; None if it has none, or one that tokenizers cannot process."""
    if isinstance(value, str):
        # JSON may contain half of a surrogate pair.
        return None if not value.strip() or _HALF.search(value) else value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    return None


def label_of(value: Any, names: Sequence[str] = ()) -> str | None:
    """Return a label as it is shown; None if there is none.

    Texts are kept as they are. A whole number of floating point is shown as an integer, because tables with an empty
    cell hold integers in this form.

    Args:
        value: The value of a cell.
        names: Names of the classes, of which the value may be the number.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and names:
        return str(names[value]) if 0 <= value < len(names) else None
    if isinstance(value, (str, int, float)):
        text = composed(str(value).strip())
        return None if text in MISSING else text
    return None


def column_value(values: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column; a dot in its name leads into an object, if no column has the whole name."""
    if column in values or "." not in column:
        return values.get(column)
    outer, _, inner = column.partition(".")
    found = values.get(outer)
    return column_value(found, inner) if isinstance(found, Mapping) else None
