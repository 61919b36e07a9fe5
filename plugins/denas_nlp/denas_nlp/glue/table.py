"""Read the tables of GLUE: the official ones, in which a quotation mark is ordinary text, and their usual variants."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.names import plain_name
from denas_nlp.tables.read import read_records
from denas_nlp.tables.values import label_of, text_of
from denas_nlp.text.content import PARQUET, as_utf8, read_file
from denas_nlp.text.faults import damage_notices
from denas_nlp.text.sentences import Row


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The format of a task's file.

    Attributes:
        texts: Names of the columns with the sentence, or with the two sentences of a pair.
        target: Name of the column with the label or score.
        headless: Names of the columns of a file without a header; empty if there is always a header.
        labels: For each label, its text in the file and its name; empty for scores.
        bounds: Lowest and highest score.
        others: Other names of the columns, as variants of the data have them.
        is_distinct: Whether no other table has these columns, so that the task can be recognised by them.
    """

    texts: tuple[str, ...]
    target: str
    headless: tuple[str, ...] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    bounds: tuple[float, float] = (-math.inf, math.inf)
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_distinct: bool = False

    def read(self, path: Path) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of a file, and notices about it, such as damaged rows, which are left out.

        Raises:
            ConfigError: the file cannot be read, has another format, or has many damaged rows.
        """
        content = b"" if path.is_dir() else read_file(path)
        if path.is_dir() or content.startswith(PARQUET):
            return self._variant(path)
        lines = as_utf8(content, path).split(b"\n")
        while lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            raise ConfigError(f"{str(path)!r} is empty; looked for {self.columns()}")
        columns = self.columns_of(lines[0])
        if columns is None:
            return self._variant(path)
        first = int(columns != self.headless or self._names_in(_fields(lines[0]) or ()) is not None)
        return self._collected(
            path,
            (
                (f"line {number}", self._row(line, columns))
                for number, line in enumerate(lines[first:], start=first + 1)
            ),
        )

    def columns(self) -> str:
        """Return what a file of this format has, for messages."""
        named = f"a header with the columns {', '.join((*self.texts, self.target))}"
        return f"{named}, or rows of {', '.join(self.headless)}" if self.headless else named

    def columns_of(self, line: bytes, *, is_official: bool = False) -> tuple[str, ...] | None:
        """Return the columns of a table with tabs by its first line; None if it has another format.

        Args:
            line: The first line.
            is_official: Whether other names of the columns are not enough.
        """
        fields = _fields(line) or []
        names = self._names_in(fields)
        if is_official and not {*self.texts, self.target} <= set(fields):
            names = None
        if names is not None:
            return tuple(names.get(field, field) for field in fields)
        if self.headless and not isinstance(self._row(line, self.headless), str):
            return self.headless
        return None

    def _names_in(self, fields: Sequence[str]) -> dict[str, str] | None:
        """Return this format's name for each column of a header; None if a column is missing."""
        wanted = {plain_name(name): name for name in (*self.texts, self.target)}
        wanted |= {name: known for name, known in self.others.items() if known not in fields}
        names = {field: wanted[plain_name(field)] for field in fields if plain_name(field) in wanted}
        return names if {*self.texts, self.target} <= set(names.values()) else None

    def _variant(self, path: Path) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of a table in CSV, JSON, Parquet, or of the library datasets."""
        records = read_records(path)
        names = self._names_in(records.columns)
        if names is None:
            begins = ", ".join(safe_repr(column, 30) for column in records.columns[:6])
            if not path.is_dir() and records.columns[:1] == ("1",) and records.rows:
                begins = ", ".join(safe_repr(field, 30) for field in [*records.rows[0].values.values()][:6])
            raise ConfigError(f"{str(path)!r} begins with {begins}; looked for {self.columns()}")
        own = {known: column for column, known in names.items()}
        classes = records.names.get(own[self.target], ())
        rows, notices = self._collected(
            path,
            (
                (
                    record.place,
                    self._sample(
                        [text_of(record.values.get(own[name])) or "" for name in self.texts],
                        label_of(record.values.get(own[self.target]), classes) or "",
                    ),
                )
                for record in records.rows
            ),
            records.damaged,
        )
        return rows, (*records.notices, *notices)

    def _row(self, line: bytes, columns: Sequence[str]) -> Row | str:
        fields = _fields(line)
        if fields is None:
            return "not UTF-8"
        if len(fields) != len(columns):
            return f"{len(fields)} instead of {len(columns)} columns"
        by_name = dict(zip(columns, fields, strict=True))
        return self._sample([by_name[name].strip() for name in self.texts], by_name[self.target].strip())

    def _sample(self, texts: Sequence[str], target: str) -> Row | str:
        if not all(texts):
            return "an empty sentence"
        found = self._target(target)
        return found if isinstance(found, str) else Row(tuple(texts), found)

    def _target(self, text: str) -> float | str:
        if self.labels:
            for texts in (
                list(self.labels),
                list(self.labels.values()),
                list(map(str, range(len(self.labels)))),
            ):
                if text in texts:
                    return texts.index(text)
            return f"the label {safe_repr(text, 30)}"
        low, high = self.bounds
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        return score if low <= score <= high else f"the score {safe_repr(text, 30)}"

    def _collected(
        self, path: Path, found: Iterable[tuple[str, Row | str]], damaged: Sequence[str] = ()
    ) -> tuple[list[Row], tuple[str, ...]]:
        rows: list[Row] = []
        faults = list(damaged)
        for place, row in found:
            if isinstance(row, str):
                faults.append(f"{place} ({row})")
            else:
                rows.append(row)
        total = len(rows) + len(faults)
        if not total:
            raise ConfigError(f"{str(path)!r} has a header, but no rows")
        return rows, damage_notices(path, faults, total, way_out="download it again")


def _fields(line: bytes) -> list[str] | None:
    try:
        return line.removesuffix(b"\r").decode("utf-8").split("\t")
    except UnicodeDecodeError:
        return None
