"""Read tables with a token in each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from denas_core.errors import ConfigError
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value, label_of, text_of
from denas_nlp.text.faults import damage_notices

from .columns import TagColumns
from .label_names import is_number, tag_of, unnamed, wrong_tag
from .tagged import Found, Tagged


def read_token_rows(records: Records, columns: TagColumns, names: Sequence[str]) -> Found:
    """Return the sentences of a table with a token in each row.

    A sentence begins where the column of sentences has another value. An empty cell of it belongs to the sentence
    above, because many tables name a sentence in its first row only. Without such a column, empty lines and rows
    without any value separate sentences.

    Raises:
        ConfigError: there is no sentence, the tags are numbers without names, or many sentences are damaged.
    """
    builder = _Builder(names, ends_at_empty=not columns.sentence)
    # What cannot be read belongs to no sentence that is known.
    builder.damaged += records.damaged
    before: str | None = None
    for number, row in enumerate(records.rows):
        given = label_of(column_value(row.values, columns.sentence)) if columns.sentence else None
        if (given is not None and given != before) or (not columns.sentence and number in records.breaks):
            builder.end()
        before = before if given is None else given
        builder.add(
            text_of(column_value(row.values, columns.tokens)),
            column_value(row.values, columns.tags),
            row.place,
        )
    builder.end()
    if builder.total and builder.numbers == builder.total and not names:
        raise unnamed(records.path)
    if not builder.found and not builder.damaged:
        raise ConfigError(f"{str(records.path)!r} has no sentence with tags")
    damage = damage_notices(
        records.path,
        builder.damaged,
        len(builder.found) + len(builder.damaged),
        items="sentences",
        way_out="give a token and its tag in each row",
    )
    divided = f"sentences by {columns.sentence!r}" if columns.sentence else "sentences between empty lines"
    used = (
        f"{records.path.name!r} is {records.format} with a token in each row: tokens from {columns.tokens!r}, tags "
        f"from {columns.tags!r}, {divided}"
    )
    return builder.found, (*records.notices, used, *damage)


class _Builder:
    def __init__(self, names: Sequence[str], *, ends_at_empty: bool) -> None:
        self.found: list[Tagged] = []
        self.damaged: list[str] = []
        self.numbers = self.total = 0
        self._names, self._ends_at_empty = names, ends_at_empty
        self._tokens: list[str] = []
        self._tags: list[str] = []
        self._fault = ""

    def add(self, token: str | None, tag: Any, place: str) -> None:
        self.total += 1
        self.numbers += is_number(tag)
        text = tag_of(tag, self._names)
        if token is None and text is None:
            # A row without any value, as workbooks have them between sentences.
            self.total -= 1
            if self._ends_at_empty:
                self.end()
        elif token is None:
            self._fault = self._fault or f"{place} (no token)"
        elif text is None:
            self._fault = self._fault or f"{place} ({wrong_tag(tag, self._names)})"
        else:
            self._tokens.append(token)
            self._tags.append(text)

    def end(self) -> None:
        if self._fault:
            self.damaged.append(self._fault)
        elif self._tokens:
            self.found.append(Tagged(tuple(self._tokens), tuple(self._tags)))
        self._tokens, self._tags, self._fault = [], [], ""
