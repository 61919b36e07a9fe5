"""Text for people: numbers in a readable form, and values and errors of plugins as one short, printable line."""

from __future__ import annotations

import math
import re
from typing import Any

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def one_line(value: object, limit: int = 200) -> str:
    """Return `value` as printable text on one line of at most `limit` characters. No value makes it raise.

    Escape sequences, control characters, surrogates and direction marks become spaces, and several spaces become one.
    """
    try:
        # The text is cut first because it may have megabytes, and cleaning it would then take seconds.
        text = str(value)[: limit * 8]
    except Exception:
        return f"<{type_name(value)} that cannot be printed>"[:limit]
    text = printable(_ESCAPES.sub(" ", text))
    return " ".join(text.split())[:limit].rstrip()


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` with each character that cannot be printed replaced by a space, except those in `keep`."""
    return "".join(c if c.isprintable() or c in keep else " " for c in text)


def safe_repr(value: object, limit: int = 80) -> str:
    """Return ``repr(value)`` as one line, or the name of its class if ``repr`` fails."""
    try:
        return one_line(repr(value), limit)
    except Exception:
        return f"<{type_name(value)} that cannot be printed>"[:limit]


def describe_error(error: BaseException, limit: int = 200) -> str:
    """Return an error as one line, such as ``ValueError: text``; the text has at most `limit` characters."""
    return f"{type_name(error)}: {one_line(error, limit)}".rstrip()


def type_name(value: object) -> str:
    """Return the name of the class of `value`."""
    return type(value).__name__[:60]


def quantity(value: float) -> str:
    """Return a number with four digits and a suffix: ``102.6k``, ``4.731M``, ``5``."""
    for suffix, factor in (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)):
        text = f"{value / factor:.4g}"
        # The rounded number decides the suffix: 999,999 is 1M and not 1000k.
        if abs(float(text)) < 1000:
            return text + suffix
    return f"{value / 1e12:.4g}T"


DASH = "\u2013"


def number(value: Any) -> str:
    """Return a number with four digits, with a suffix if it is large, or a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if abs(value) >= 10_000:
        return quantity(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def as_many(ratio: float, what: str) -> str:
    """Return how many of something there are, for a sentence that ends with "as ...": ``1.3 times as many FLOPs``."""
    rounded = f"{ratio:.2g}"
    return f"as many {what}" if rounded == "1" else f"{quantity(float(rounded))} times as many {what}"


def percent(value: float | None) -> str:
    """Return a share as a percentage, with one decimal if it is below 1 %, or a dash for None."""
    if value is None:
        return DASH
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value:.1%}" if 0 < abs(value) < 0.01 else f"{value:.0%}"


_TIME = re.compile(r"(?:(?P<h>[0-9.]+)h)?(?:(?P<min>[0-9.]+)m(?:in)?)?(?:(?P<s>[0-9.]+)s)?")


def parse_seconds(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``30min``, ``1h`` or ``1h30min``.

    Raises:
        ValueError: the text is not a duration above zero.
    """
    match = _TIME.fullmatch("".join(text.split()).lower())
    try:
        total = (
            sum(float(match[unit] or 0) * size for unit, size in (("h", 3600), ("min", 60), ("s", 1)))
            if match
            else 0
        )
    except ValueError:
        total = 0
    if not 0 < total < math.inf:
        raise ValueError(f"{text!r} is not a duration such as 90s, 30min, 1h or 1h30min")
    return total


def seconds(value: float | None) -> str:
    """Return a duration in milliseconds, seconds, minutes or hours, or a dash for None."""
    if value is None:
        return DASH
    if value < 1:
        return f"{value * 1000:.3g} ms"
    if value < 120:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
