"""Text of plugins and their faults as one clean, bounded line, whatever they hold."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def one_line(value: object, limit: int = 200) -> str:
    """Return `value` as printable text on one line, at most `limit` characters; never raises for what it holds.

    Escape sequences, control characters, surrogates and marks of direction become spaces, and spaces one space.
    """
    try:
        # Sliced as a plain string first: the text may be megabytes, or a subclass whose methods do as they like.
        text = str.__getitem__(str(value), slice(limit * 8))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<{type_name(value)} that cannot be printed>"[:limit]
    text = printable(_ESCAPES.sub(" ", text))
    return " ".join(text.split())[:limit].rstrip()


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` with a space for each character that cannot be printed, but for those of `keep`."""
    return "".join(c if c.isprintable() or c in keep else " " for c in text)


def shown(value: object, limit: int = 80) -> str:
    """Return ``repr(value)`` as one line, or what kind of object it is if that fails."""
    try:
        return one_line(repr(value), limit)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<{type_name(value)} that cannot be printed>"[:limit]


def described(error: BaseException, limit: int = 200) -> str:
    """Return ``ValueError: text`` as one line, the text of at most `limit` characters."""
    return f"{type_name(error)}: {one_line(error, limit)}".rstrip()


def type_name(value: object) -> str:
    """Return the name of the class of `value`, which no metaclass can make raise."""
    # The name may be a subclass of str too: sliced as one, it is a plain string.
    name = str.__getitem__(type.__dict__["__name__"].__get__(type(value)), slice(60))
    return one_line(name) if name.isprintable() else "unnamed"
