"""The rows of a table, whatever its format is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Record(NamedTuple):
    """A row of a table.

    Attributes:
        place: Where it is in its file, such as "line 7".
        values: Its values by the names of their columns.
    """

    place: str
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A table.

    Attributes:
        path: The file or folder.
        format: What it is, for users, such as "CSV with semicolons".
        columns: Names of the columns in order.
        rows: The rows.
        names: For columns whose values are numbers of classes, the names of the classes.
        damaged: Rows that cannot be read, each with its place and the reason.
        notices: Notices for the user.
        breaks: Numbers of the rows above which the file has an empty line; the first row has the number 0.
        share: Share of the table that was read, roughly.
        has_names: Whether the data name the columns; if not, the names are those of this package.
    """

    path: Path
    format: str
    columns: tuple[str, ...]
    rows: Sequence[Record]
    names: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    damaged: Sequence[str] = ()
    notices: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()
    share: float = 1.0
    has_names: bool = True
