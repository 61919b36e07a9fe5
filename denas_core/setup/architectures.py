"""An architecture that a user names: a file, or a text in the notation of its space."""

from __future__ import annotations

from pathlib import Path

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.system.guarded_yaml import read_text
from denas_core.values.architecture import Architecture


def read_architecture(space: SearchSpace, given: str) -> Architecture:
    """Return the architecture in a file, or the one that a text in the space's notation describes.

    Raises:
        ConfigError, StorageError: it cannot be read.
    """
    if not given.strip():
        raise ConfigError("--arch is empty; name a file, or write the architecture in the space's notation")
    is_json = given.lstrip().startswith("{")
    looks_like_path = not is_json and (given.endswith((".json", ".yaml", ".yml", ".txt")) or "/" in given)
    if looks_like_path or ("(" not in given and "{" not in given and _exists(given)):
        return space.parse(read_text(given), origin=given)
    return space.parse(given, origin="--arch")


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
