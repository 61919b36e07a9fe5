"""Find the columns of a table that hold paths, labels and parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from denas_core.errors import ConfigError, did_you_mean
from denas_cv.image.listing import is_image

from .paths import FileFinder
from .rows import Table

PATHS = (
    *("path", "filepath", "filepaths", "file", "filename", "filenames", "image", "imagepath", "imagefile"),
    *("imagename", "imageid", "img", "imgpath", "imgname", "photo", "picture", "id", "name"),
)
LABELS = (
    *(
        "label",
        "labels",
        "class",
        "classname",
        "classlabel",
        "category",
        "categories",
        "target",
        "tags",
        "tag",
    ),
    *("breed", "species", "genre", "genres", "diagnosis", "classid", "y"),
)
SPLITS = ("split", "set", "subset", "partition", "dataset", "phase", "usage", "part")

PROBED = 20
"""Number of rows by which a column of paths is recognised."""

FLAGS = {"0": False, "0.0": False, "-1": False, "false": False, "1": True, "1.0": True, "true": True}
"""What cells of a column mean that says of each image whether it has a label."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that the user names; empty texts for those to be found.

    Attributes:
        path: The column of paths.
        label: The column of labels, or several names with commas between them for columns of 0 and 1.
        split: The column of parts, such as ``train``.
        separator: What separates several labels in a cell.
    """

    path: str = ""
    label: str = ""
    split: str = ""
    separator: str = ""


def path_column(table: Table, given: str, finder: FileFinder) -> str | None:
    """Return the column whose values name files; None if there is none.

    Raises:
        ConfigError: the column that the user names is missing.
    """
    if given:
        return _existing(table, given, "path")
    known = sorted(table.columns, key=lambda name: _rank(name, PATHS))
    rows = table.rows[:PROBED]

    def names_file(column: str, value: Any) -> bool:
        # Numbers of labels may be names of files without their ending by chance.
        may_lack_ending = _rank(column, PATHS) < len(PATHS)
        if not (may_lack_ending or is_image(str(value).strip())):
            return False
        file = finder.find(value)
        # Tables of recordings have columns with the same names.
        return file is not None and (is_image(file) or not PurePath(file).suffix)

    found = {name: sum(names_file(name, row.get(name)) for row in rows) for name in known}
    best = max(known, key=lambda name: found[name])
    return best if found[best] else None


def label_columns(table: Table, given: str, others: Sequence[str]) -> list[str]:
    """Return the column of labels, or several columns of 0 and 1; empty if there is none.

    Args:
        table: The table.
        given: What the user names.
        others: Columns that hold something else.

    Raises:
        ConfigError: a column that the user names is missing.
    """
    if given:
        if given in table.columns:
            return [given]
        return [_existing(table, name.strip(), "label") for name in given.split(",")]
    left = [name for name in table.columns if name not in others and not name.startswith("column ")]
    named = [name for name in left if _rank(name, LABELS) < len(LABELS)]
    if named:
        return [min(named, key=lambda name: _rank(name, LABELS))]
    flags = [name for name in left if all(flag(row.get(name)) is not None for row in table.rows)]
    if len(flags) > 1:
        return flags
    return left if len(left) == 1 else []


def split_column(table: Table, given: str) -> str | None:
    """Return the column of parts; None if there is none."""
    if given:
        return _existing(table, given, "split")
    known = [name for name in table.columns if _rank(name, SPLITS) < len(SPLITS)]
    return min(known, key=lambda name: _rank(name, SPLITS)) if known else None


def flag(value: Any) -> bool | None:
    """Return whether a cell says yes; None if it says neither yes nor no."""
    return FLAGS.get(str(value).strip().lower())


def _existing(table: Table, name: str, option: str) -> str:
    if name not in table.columns:
        raise ConfigError(
            f"{str(table.path)!r} has no column {name!r} (task.{option}); its columns are "
            f"{', '.join(map(repr, table.columns))}{did_you_mean(name, table.columns)}"
        )
    return name


def _rank(name: str, known: Sequence[str]) -> int:
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    return known.index(plain) if plain in known else len(known)
