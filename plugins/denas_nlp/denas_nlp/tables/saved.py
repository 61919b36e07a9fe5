"""Read folders that ``save_to_disk`` of the library datasets wrote. An extra installs the library, which reads them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, NotInstalled, describe_error

from .records import Record, Records

ONE, SEVERAL = "state.json", "dataset_dict.json"
"""The files that show what a folder holds: one table, or one for each part."""


def is_saved(path: Path) -> bool:
    """Return whether a folder is one table that the library datasets wrote."""
    return (path / ONE).is_file() and (path / "dataset_info.json").is_file()


def saved_parts(path: Path) -> list[Path]:
    """Return the folders of the parts of a data set that the library datasets wrote; empty if it did not write it."""
    if not (path / SEVERAL).is_file():
        return []
    return sorted(each for each in path.iterdir() if each.is_dir() and is_saved(each))


def read_saved(path: Path) -> Records:
    """Return the rows of one table that the library datasets wrote.

    Raises:
        ConfigError: the folder is damaged.
        NotInstalled: the library is missing.
    """
    library = _library(path)
    try:
        table = library.load_from_disk(str(path))
        rows = [Record(f"row {number}", row) for number, row in enumerate(table, start=1)]
    except Exception as error:
        raise ConfigError(
            f"{str(path)!r} cannot be read by the library datasets ({describe_error(error)}); save it again"
        ) from error
    names = {
        column: list(feature.names)
        for column, feature in table.features.items()
        if isinstance(feature, library.ClassLabel)
    }
    # Lists of class numbers, such as the tags of a sentence.
    names |= {
        column: list(feature.feature.names)
        for column, feature in table.features.items()
        if isinstance(getattr(feature, "feature", None), library.ClassLabel)
    }
    return Records(
        path=path,
        format="a folder of the library datasets",
        columns=tuple(table.column_names),
        rows=rows,
        names=names,
    )


def _library(path: Path) -> Any:
    try:
        # Not by an import statement, because type checkers refuse libraries that are not installed.
        return importlib.import_module("datasets")
    except ImportError as error:
        raise NotInstalled(
            f"{str(path)!r} was written by the library datasets, which reads it: pip install 'denas-nlp[datasets]'"
        ) from error
