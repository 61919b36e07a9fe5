"""Read the texts of a table and the number of each."""

from __future__ import annotations

import dataclasses

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.classification.columns import Columns, found_columns
from denas_nlp.classification.labels import number_of
from denas_nlp.classification.reading import Labelled, TableReader
from denas_nlp.tables.names import known, plain_name
from denas_nlp.tables.records import Record, Records
from denas_nlp.tables.values import label_of

SCORES = (
    "score",
    "similarity score",
    "similarity",
    "relatedness score",
    "label",
    "labels",
    "target",
    "value",
    "rating",
    "stars",
    "price",
    "y",
)
"""The usual names of columns of numbers."""

_NUMBERS = frozenset({"id", "idx", "index", "nr", "no", "row", "year", "user id", "unnamed 0", ""})
"""Names of columns of numbers that say nothing about a text."""

_PROBED = 1000


@dataclasses.dataclass(kw_only=True)
class ScoreReader(TableReader):
    """Reads tables of texts with numbers. The label of a text is its number as it is written."""

    def columns_of(self, records: Records) -> Columns:
        """Return the columns of the texts and of the numbers.

        Raises:
            ConfigError: there is no column of texts, or not one column of numbers; the message names the columns.
        """
        if self.label or self.usual:
            return super().columns_of(records)
        texts = found_columns(records, text=self.text, pair=self.pair, needs_labels=False).texts
        numbers = [name for name in records.columns if name not in texts and _is_of_numbers(records, name)]
        if (named := known(numbers, SCORES)) is not None:
            return Columns(texts=texts, labels=(named,))
        others = [name for name in numbers if plain_name(name) not in _NUMBERS]
        if len(others) == 1:
            return Columns(texts=texts, labels=(others[0],))
        listed = ", ".join(safe_repr(name, 30) for name in (others or records.columns)[:10])
        reason = f"{listed} could be its scores" if others else f"it has {listed}"
        raise ConfigError(
            f"{str(records.path)!r} has no column of numbers that is known: {reason}; name it with --set "
            "task.label=COLUMN"
        )

    def _check_form(self, records: Records, columns: Columns) -> None:
        if len(columns.labels) > 1:
            raise ConfigError(
                f"a text has one score, not {len(columns.labels)} (task.label); name one column"
            )

    def _row(self, record: Record, columns: Columns) -> Labelled | str:
        found = super()._row(record, columns)
        if isinstance(found, Labelled) and number_of(found.labels[0]) is None:
            return f"{safe_repr(found.labels[0], 30)} in {safe_repr(columns.labels[0], 30)} is no number"
        return found


def score_of(row: Labelled) -> float:
    """Return the number of a text that `ScoreReader` has read."""
    found = number_of(row.labels[0])
    assert found is not None, "rows without a number are left out"
    return found


def _is_of_numbers(records: Records, name: str) -> bool:
    cells = [label_of(row.values.get(name)) for row in records.rows[:_PROBED]]
    there = [cell for cell in cells if cell is not None]
    # A few cells may be damaged.
    return bool(there) and 10 * sum(number_of(cell) is None for cell in there) <= len(there)
