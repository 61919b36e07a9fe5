"""The longest path of a run. SQLite cannot open files whose absolute path is longer than about 500 bytes."""

from __future__ import annotations

import os
from pathlib import Path

from denas_core.errors import ConfigError

LONGEST = 504 - len("/.study.db.tmp")
"""Most bytes in the absolute path of a run directory. SQLite allows 512 for a file name with ``-journal`` added."""


def check_path_length(path: Path) -> None:
    """Check that SQLite can open the store in a run directory.

    Raises:
        ConfigError: the path is too long. The text gives its length and the largest length.
    """
    length = len(os.fsencode(os.path.realpath(path)))
    if length > LONGEST:
        text = str(path)
        shown = text if len(text) <= 100 else f"{text[:60]}...{text[-30:]}"
        raise ConfigError(
            f"the absolute path of run {shown!r} has {length} bytes, and SQLite opens the store of a run only up to "
            f"{LONGEST}; choose a directory with a shorter path"
        )
