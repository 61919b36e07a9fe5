"""What DE-NAS keeps for a user outside of runs: measurements of this machine, and digests of large files.

The folder is ``$DENAS_CACHE``, or else ``$XDG_CACHE_HOME/denas``, or else ``~/.cache/denas``. ``DENAS_CACHE=off``
switches it off. Nothing depends on it: what cannot be read or written is made again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import StorageError

from .atomic import write_json

VARIABLE = "DENAS_CACHE"


def cache_folder() -> Path | None:
    """Return the folder of this user, which need not exist; None if it is switched off or there is no home."""
    named = os.environ.get(VARIABLE, "")
    if named.lower() == "off":
        return None
    try:
        if named:
            return Path(named).expanduser().absolute()
        # The XDG specification says that a relative path is invalid and must be ignored.
        base = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return (base if base.is_absolute() else Path.home() / ".cache") / "denas"
    except RuntimeError:
        return None


def read_cached(name: str) -> dict[str, Any] | None:
    """Return what was kept under a name; None if there is nothing, or the file is damaged.

    Args:
        name: Path of a JSON file inside the folder, such as ``latency/reference-3f2a.json``.
    """
    folder = cache_folder()
    if folder is None:
        return None
    try:
        document = json.loads((folder / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write_cached(name: str, document: Mapping[str, Any]) -> bool:
    """Keep a JSON object under a name, in place of what was there, and return whether that was possible.

    A folder that cannot be written is no error, because whoever needs the content can measure it again.
    """
    folder = cache_folder()
    if folder is None:
        return False
    path = folder / name
    with contextlib.suppress(OSError, StorageError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, document)
        return True
    return False
