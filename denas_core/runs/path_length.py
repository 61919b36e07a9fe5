"""The longest path of a run: SQLite opens no file whose absolute path is longer than about 500 bytes."""

from __future__ import annotations

import os
from pathlib import Path

from denas_core.errors import ConfigError

LONGEST = 504 - len("/.study.db.tmp")
"""Bytes of the absolute path of a run directory: SQLite allows 512, with ``-journal`` after the name of the file."""


def check_path_length(path: Path) -> None:
    """Refuse a run directory in which SQLite could not open the store.

    Raises:
        ConfigError: says how long the path is, and how long it may be.
    """
    length = len(os.fsencode(os.path.realpath(path)))
    if length > LONGEST:
        text = str(path)
        shown = text if len(text) <= 100 else f"{text[:60]}...{text[-30:]}"
        raise ConfigError(
            f"the absolute path of run {shown!r} has {length} bytes, and SQLite opens the store of a run only up to "
            f"{LONGEST}; choose a directory with a shorter path"
        )
