"""Find the files that the values of a table mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from denas_cv.image.decoding import EXTENSIONS
from denas_cv.image.listing import folders_in, is_image
from denas_cv.image.parts import part_of


class FileFinder:
    """Finds image files beside a table: relative to it, to a folder beside it, or by a name without its ending.

    Args:
        table: The path of the table.
    """

    def __init__(self, table: Path) -> None:
        part = part_of(table.name)
        beside = folders_in(table.parent)
        # A name such as 1.jpg may be in train/ and in test/: the folder of the table's own part is preferred.
        beside.sort(key=lambda path: (part_of(path.name) != part, part_of(path.name) is not None, path.name))
        inner = [each for path in beside for each in folders_in(path)] if len(beside) <= MOST_FOLDERS else []
        self._bases = [str(path) for path in (table.parent, *beside, *inner[:MOST_FOLDERS])]
        self._last = (self._bases[0], "")

    def find(self, value: object) -> str | None:
        """Return the path of the file; None if there is none."""
        text = str(value).strip().replace("\\", "/")
        if not text or value is None:
            return None
        base, ending = self._last
        path = os.path.join(base, text + ending)  # noqa: PTH118 - a million paths
        if os.path.isfile(path):  # noqa: PTH113
            return path
        for name in _names(text):
            for base in self._bases:
                for ending in ("",) if is_image(name) else ("", *sorted(EXTENSIONS)):
                    path = os.path.join(base, name + ending)  # noqa: PTH118
                    if os.path.isfile(path):  # noqa: PTH113
                        self._last = (base, ending)
                        return path
        return None


MOST_FOLDERS = 50
"""Number of folders beside a table up to which the folders in them are searched, too."""


def _names(text: str) -> Iterator[str]:
    """Yield the value, and the ends of a path that is absolute on the machine where the table was written."""
    yield text
    parts = PurePosixPath(text).parts
    if text.startswith("/") or text[1:3] == ":/":
        yield from ("/".join(parts[first:]) for first in range(1, len(parts)))
