"""Make labels of the cells of a table: one for each image, or any number."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from denas_core.errors import ConfigError
from denas_cv.image.classes import class_name

from .columns import flag
from .rows import Table

ONE_LABEL = "none"
"""The separator that a user names if each cell is one label."""

TAGS = ("tags", "keywords")

SEPARATORS = ("|", ";", ",", " ")
"""What may separate labels in a cell, in the order in which it is tried."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CellLabels:
    """The labels of the rows of a table.

    Attributes:
        labels: Names of the labels of each row; None for a row without a label.
        multiple: Whether a row may have several labels or none.
        separator: What separates labels in a cell, if that was found.
    """

    labels: Sequence[tuple[str, ...] | None]
    multiple: bool
    separator: str = ""


def read_labels(tables: Sequence[Table], columns: Sequence[str], separator: str) -> list[CellLabels]:
    """Return the labels of each table; all tables are read alike.

    Raises:
        ConfigError: a cell is not a label; the text names the table and the row.
    """
    if len(columns) > 1:
        flags = [_flags(table, columns) for table in tables]
        multiple = any(len(names) != 1 for rows in flags for names in rows)
        return [CellLabels(labels=rows, multiple=multiple) for rows in flags]
    values = [[_value(row.get(columns[0])) for row in table.rows] for table in tables]
    everything = [value for rows in values for value in rows]
    is_list = any(isinstance(value, list) for value in everything)
    texts = {value for value in everything if isinstance(value, str)}
    if not is_list:
        separator = "" if separator == ONE_LABEL else separator or _separator(texts, columns[0])
    if is_list or separator:
        return [
            CellLabels(
                labels=[_several(value, separator) for value in rows], multiple=True, separator=separator
            )
            for rows in values
        ]
    shortened = _whole_numbers(texts)
    return [
        CellLabels(
            labels=[(shortened.get(value, value),) if isinstance(value, str) else None for value in rows],
            multiple=False,
        )
        for rows in values
    ]


def _flags(table: Table, columns: Sequence[str]) -> list[tuple[str, ...]]:
    labels = []
    for number, row in enumerate(table.rows, 1):
        cells = {name: flag(row.get(name)) for name in columns}
        if None in cells.values():
            wrong = next(name for name, cell in cells.items() if cell is None)
            raise ConfigError(
                f"row {number} of {str(table.path)!r} has {row.get(wrong)!r} in the column {wrong!r}, where 0 or 1 is "
                "expected; name the columns of labels with task.label"
            )
        labels.append(tuple(class_name(name) for name, cell in cells.items() if cell))
    return labels


def _value(cell: Any) -> str | list[str] | None:
    if isinstance(cell, list):
        return [class_name(str(each)) for each in cell]
    text = "" if cell is None else str(cell).strip()
    if text.startswith("[") and text.endswith("]"):
        for parse in (json.loads, ast.literal_eval):
            try:
                found = parse(text)
            except (ValueError, SyntaxError):
                continue
            if isinstance(found, list):
                return [class_name(str(each)) for each in found]
    return class_name(text) or None


def _several(value: str | list[str] | None, separator: str) -> tuple[str, ...]:
    """Return the labels of a cell; a cell without text has none."""
    if value is None:
        return ()
    parts = value if isinstance(value, list) else value.split(separator) if separator else [value]
    return tuple(dict.fromkeys(name for part in parts if (name := class_name(part))))


def _separator(texts: set[str], column: str) -> str:
    """Return what separates labels, or an empty text if each cell is one label.

    Names of classes rarely have a bar or a semicolon. They may have commas and spaces. These separate labels if there
    are fewer different labels than different cells. A comma, or a space in a column of tags, also does if most of the
    different cells share a label with another one.
    """
    for separator in SEPARATORS:
        if not any(separator in text for text in texts):
            continue
        cells = [{part.strip() for part in text.split(separator)} for text in texts]
        counts = Counter(part for cell in cells for part in cell)
        share = sum(any(counts[part] > 1 for part in cell) for cell in cells) / len(cells)
        are_shared = share > 0.5 and (separator == "," or column.lower() in TAGS)
        if separator in "|;" or len(counts) < len(texts) or are_shared:
            return separator
    return ""


def _whole_numbers(texts: set[str]) -> dict[str, str]:
    """Return shorter forms of whole numbers such as 3.0, which pandas writes if a cell of the column is empty."""
    numbers = {}
    for text in texts:
        whole, point, zeros = text.partition(".")
        if not (whole.removeprefix("-").isdecimal() and point and not zeros.strip("0")):
            return {}
        numbers[text] = whole
    return numbers
