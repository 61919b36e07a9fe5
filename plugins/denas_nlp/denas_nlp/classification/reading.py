"""Read the texts and labels of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Record, Records
from denas_nlp.tables.values import column_value, label_of, text_of
from denas_nlp.text.faults import damage_notices

from .columns import YES_NO, Columns, found_columns, is_several
from .labels import several_of


class Labelled(NamedTuple):
    """A text with its labels.

    Attributes:
        texts: The text, or the two texts of a pair.
        labels: Its labels: one, or any number if there may be several.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]


@dataclasses.dataclass(kw_only=True)
class TableReader:
    """Reads tables of one data set, all of which have the same columns.

    Attributes:
        text: See `found_columns`.
        pair: See `found_columns`.
        label: See `found_columns`.
        separator: The separator of several labels in a cell; empty for any.
        multi_label: Whether a text may have several labels.
        usual: See `found_columns`.
        columns: The columns of the last table.
        names: The names of classes of the last table.
        files: The tables that were read.
    """

    text: str = ""
    pair: str = ""
    label: str = ""
    separator: str = ""
    multi_label: bool = False
    usual: Mapping[str, Sequence[str]] | None = None
    columns: Columns = dataclasses.field(default_factory=lambda: Columns(texts=()))
    names: Sequence[str] = ()
    files: list[Path] = dataclasses.field(default_factory=list)

    def read(self, path: Path) -> tuple[list[Labelled], tuple[str, ...]]:
        """Return the texts of a table, and notices about it.

        Raises:
            ConfigError: the table cannot be read, a column is missing, or many rows are damaged.
        """
        return self.read_records(read_records(path))

    def read_records(self, records: Records) -> tuple[list[Labelled], tuple[str, ...]]:
        """Return the texts of a table that was read, and notices about it.

        Raises:
            ConfigError: as in `read`.
        """
        columns = self.columns_of(records)
        self._check_form(records, columns)
        self.columns, self.names = columns, ()
        if len(columns.labels) == 1:
            self.names = records.names.get(columns.labels[0], ())
        # The other tables of the data set are read as the first one.
        self.usual = self.usual or columns.as_dict()
        self.files.append(records.path)
        found: list[Labelled] = []
        damaged = list(records.damaged)
        for record in records.rows:
            row = self._row(record, columns)
            if isinstance(row, str):
                damaged.append(f"{record.place} ({row})")
            else:
                found.append(row)
        total = len(found) + len(damaged)
        if not total:
            raise ConfigError(f"{str(records.path)!r} has no rows")
        damage = damage_notices(
            records.path, damaged, total, way_out="give a table in which every row has a text and a label"
        )
        used = (_used(records, columns),) if records.has_names else ()
        return found, (*records.notices, *used, *damage)

    def columns_of(self, records: Records) -> Columns:
        """Return the columns of a table that are used.

        Raises:
            ConfigError: see `found_columns`.
        """
        return found_columns(records, text=self.text, pair=self.pair, label=self.label, usual=self.usual)

    def _check_form(self, records: Records, columns: Columns) -> None:
        if not self.multi_label and is_several(records, columns, self.separator):
            what = (
                f"column {columns.labels[0]!r}" if len(columns.labels) == 1 else f"columns {columns.labels}"
            )
            raise ConfigError(
                f"texts of {str(records.path)!r} have several labels ({what}); say so with --set "
                "task.multi_label=true, or name a column with one label with --set task.label=COLUMN"
            )

    def _row(self, record: Record, columns: Columns) -> Labelled | str:
        texts = tuple(text_of(column_value(record.values, name)) for name in columns.texts)
        if None in texts:
            empty = columns.texts[texts.index(None)]
            return f"no text in {safe_repr(empty, 30)}"
        labels = self._labels(record.values, columns.labels)
        if labels is None:
            return f"no label in {safe_repr(columns.labels[0], 30)}"
        return Labelled(tuple(map(str, texts)), labels)

    def _labels(self, values: Mapping[str, Any], columns: Sequence[str]) -> tuple[str, ...] | None:
        if len(columns) > 1:
            cells = {name: label_of(column_value(values, name)) for name in columns}
            if not all(cell in YES_NO for cell in cells.values()):
                return None
            return tuple(name for name, cell in cells.items() if cell in ("1", "true", "True"))
        value = column_value(values, columns[0])
        if self.multi_label:
            missing = value is None or (isinstance(value, float) and value != value)
            return None if missing else several_of(value, separator=self.separator, names=self.names)
        label = label_of(value, self.names)
        return None if label is None else (label,)


def read_texts(path: Path, *, text: str, pair: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the texts of a table without labels, each with the name of the file and its place.

    Raises:
        ConfigError: the table cannot be read, or its texts are in no known column.
    """
    records = read_records(path)
    columns = found_columns(records, text=text, pair=pair, needs_labels=False)
    for record in records.rows:
        place = record.place.rpartition(" ")[2]
        yield (
            f"{path}:{place}",
            tuple(text_of(column_value(record.values, name)) or "" for name in columns.texts),
        )


def _used(records: Records, columns: Columns) -> str:
    used = {*columns.texts, *columns.labels}
    unread = [repr(name) for name in records.columns if name and name not in used]
    texts = " and ".join(map(repr, columns.texts))
    labels = ", ".join(map(repr, columns.labels[:6])) + (", ..." if len(columns.labels) > 6 else "")
    rest = f"; {', '.join(unread[:6])}{', ...' if len(unread) > 6 else ''} not read" if unread else ""
    return f"{records.path.name!r} is {records.format}: texts from {texts}, labels from {labels}{rest}"
