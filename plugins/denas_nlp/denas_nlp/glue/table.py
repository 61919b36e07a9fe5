"""Read tables of sentences: tab-separated values in which a quotation mark is ordinary text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.parts import read_file

MANY_DAMAGED = 10
"""If more than one in this many rows is damaged, the file is refused, because it probably has another format."""

LISTED = 5
"""Number of damaged rows that are listed."""


class Row(NamedTuple):
    """One row.

    Attributes:
        texts: The sentence, or the two sentences of a pair.
        target: The number of its label, or its score.
    """

    texts: tuple[str, ...]
    target: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The format of a task's file.

    Attributes:
        texts: Names of the columns with the sentence, or with the two sentences of a pair.
        target: Name of the column with the label or score.
        headless: Names of the columns of a file without a header; empty if there is always a header.
        labels: For each label, its text in the file and its name; empty for scores.
        bounds: Lowest and highest score.
    """

    texts: tuple[str, ...]
    target: str
    headless: tuple[str, ...] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def read(self, path: Path) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of a file, and a notice about damaged rows, which are left out.

        Raises:
            ConfigError: the file cannot be read, has another format, or has many damaged rows.
        """
        lines = read_file(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
        while lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            raise ConfigError(f"{str(path)!r} is empty; looked for {self._columns()}")
        columns, first = self._header(lines[0], path)
        rows: list[Row] = []
        damaged: list[str] = []
        for number, line in enumerate(lines[first:], start=first + 1):
            row = self._row(line, columns)
            if isinstance(row, str):
                damaged.append(f"line {number} ({row})")
            else:
                rows.append(row)
        return rows, self._notices(path, rows, damaged)

    def _header(self, line: bytes, path: Path) -> tuple[tuple[str, ...], int]:
        fields = _fields(line) or []
        if {*self.texts, self.target} <= set(fields):
            return tuple(fields), 1
        if self.headless and not isinstance(self._row(line, self.headless), str):
            return self.headless, 0
        begins = ", ".join(safe_repr(field, 30) for field in fields[:6])
        raise ConfigError(f"{str(path)!r} begins with {begins}; looked for {self._columns()}")

    def _columns(self) -> str:
        named = f"a header with the columns {', '.join((*self.texts, self.target))}"
        return f"{named}, or rows of {', '.join(self.headless)}" if self.headless else named

    def _row(self, line: bytes, columns: Sequence[str]) -> Row | str:
        fields = _fields(line)
        if fields is None:
            return "not UTF-8"
        if len(fields) != len(columns):
            return f"{len(fields)} instead of {len(columns)} columns"
        by_name = dict(zip(columns, fields, strict=True))
        texts = tuple(by_name[name].strip() for name in self.texts)
        if not all(texts):
            return "an empty sentence"
        target = self._target(by_name[self.target].strip())
        return target if isinstance(target, str) else Row(texts, target)

    def _target(self, text: str) -> float | str:
        if self.labels:
            return (
                list(self.labels).index(text) if text in self.labels else f"the label {safe_repr(text, 30)}"
            )
        low, high = self.bounds
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        return score if low <= score <= high else f"the score {safe_repr(text, 30)}"

    def _notices(self, path: Path, rows: list[Row], damaged: list[str]) -> tuple[str, ...]:
        total = len(rows) + len(damaged)
        if not total:
            raise ConfigError(f"{str(path)!r} has a header, but no rows")
        if not damaged:
            return ()
        listed = ", ".join(damaged[:LISTED]) + (", ..." if len(damaged) > LISTED else "")
        if len(damaged) * MANY_DAMAGED > total:
            raise ConfigError(
                f"{len(damaged)} of the {total} rows of {str(path)!r} are damaged: {listed}; download it again"
            )
        return (
            f"{len(damaged)} of the {total} rows of {path.name!r} are damaged and were left out: {listed}",
        )


def _fields(line: bytes) -> list[str] | None:
    try:
        return line.removesuffix(b"\r").decode("utf-8").split("\t")
    except UnicodeDecodeError:
        return None
