"""Scores as plain finite numbers."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from denas_core.errors import ScoreFailed
from denas_core.text import describe_error, safe_repr, type_name

if TYPE_CHECKING:
    pass


LARGEST = 1e308
"""Scores of a larger magnitude are refused, because SQLite would store an infinite number as NULL."""


def coerce_score(value: Any) -> float:
    """Return `value` as a Python float if it is a finite real number.

    Raises:
        ScoreFailed: `value` is a bool, a text, a tensor, complex, NaN, infinite or larger than `LARGEST`.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            text = safe_repr(value, 60) if isinstance(value, (bool, str, int, complex, type(None))) else ""
            # NumPy 1's truth values are called bool_, NumPy 2's bool.
            raise ScoreFailed(f"not a number: {type_name(value).rstrip('_')} {text}".rstrip())
        number = float(value)
    except ScoreFailed:
        raise
    except Exception as error:  # any third-party number type may raise anything here
        raise ScoreFailed(f"not a float: {describe_error(error)}"[:200]) from error
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise ScoreFailed(f"not finite: {number!r}")
    # SQLite does not store negative zero. Adding zero makes it positive, so a stored score equals the computed one.
    return number + 0.0
