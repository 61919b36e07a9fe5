"""List folders without what archives, editors and file systems leave in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from denas_core import is_hidden
from denas_core.errors import ConfigError

from .problems import Problems


class Listing(NamedTuple):
    """The names in a folder, sorted because file systems give no fixed order."""

    path: Path
    files: list[str]
    folders: list[str]
    hidden: list[str]


def list_folder(folder: Path) -> Listing:
    """Return the names in a folder. Links to folders count as folders.

    Raises:
        ConfigError: the folder cannot be read.
    """
    listing = Listing(folder, [], [], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    listing.hidden.append(entry.name)
                else:
                    (listing.folders if entry.is_dir() else listing.files).append(entry.name)
    except OSError as error:
        raise ConfigError(f"folder {str(folder)!r} cannot be read: {error.strerror}") from error
    for names in listing[1:]:
        names.sort()
    return listing


def walk(folder: Path, *, depth: int | None = None, problems: Problems | None = None) -> Iterator[Listing]:
    """Yield a folder and the folders in it, each one only once although links may lead back to it.

    Args:
        folder: Where to begin.
        depth: Levels of folders below it; None for all.
        problems: Gets a remark for whatever is not read.

    Raises:
        ConfigError: a folder cannot be read.
    """
    yield from _walk(folder, folder, depth, problems, set())


def _walk(
    folder: Path, top: Path, depth: int | None, problems: Problems | None, seen: set[str]
) -> Iterator[Listing]:
    listing = list_folder(folder)
    place = os.path.realpath(folder)

    def shown(name: str) -> str:
        return str((folder / name).relative_to(top))

    if place in seen:
        if problems is not None:
            problems.remark("folder that a link repeats", shown("."))
        return
    seen.add(place)
    if problems is not None:
        for name in listing.hidden:
            problems.remark("hidden file or folder", shown(name))
    yield listing
    for name in listing.folders:
        if depth != 0:
            yield from _walk(folder / name, top, None if depth is None else depth - 1, problems, seen)
        elif problems is not None:
            problems.remark("folder that lies too deep", shown(name))
