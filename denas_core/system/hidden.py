"""What is never read of a folder of data: what is hidden, and what archives and file managers leave behind."""

from __future__ import annotations

LEFTOVERS = frozenset(
    (
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "$recycle.bin",
        "system volume information",
        "@eadir",
    )
)
"""Names, in lower case, of what archives and operating systems leave behind."""


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is never read as data, such as ``._a.flac`` and ``__MACOSX``."""
    return name.startswith(".") or name.lower() in LEFTOVERS
