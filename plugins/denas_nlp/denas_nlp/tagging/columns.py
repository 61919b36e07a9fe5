"""Find the columns of a table that have tokens, tags and sentences, and the form of their values."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Literal

from denas_nlp.tables.names import plain_name
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value

TOKENS = ("tokens", "token", "words", "word", "form", "text", "sentence", "content", "data text", "data")
TAGS = (
    *("ner tags", "ner tag", "tags", "tag", "labels", "ner", "label", "iob", "bio", "entities", "entity"),
    *("spans", "annotations", "pos tags", "pos tag", "pos", "upos", "xpos", "chunk tags", "chunk"),
)
SENTENCES = (
    *("sentence", "sentence id", "sentence idx", "sentence index", "sentence number", "sentence no"),
    *("sentence num", "sent id", "sent idx", "sent", "sentid", "sentenceid", "sid"),
)
STARTS = ("start", "start_offset", "begin", "from")
"""Keys of the first character of a span."""

_PROBED = 200
_SEVERAL = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TagColumns:
    """Where a table has its tags.

    Attributes:
        form: ``rows`` if each row is a token, ``lists`` if each row has the tokens and the tags of a sentence, and
            ``spans`` if each row has a text and spans of its characters.
        tokens: The column of tokens, or of texts.
        tags: The column of tags, or of spans.
        sentence: The column that says to which sentence a token belongs; empty if empty lines do.
    """

    form: Literal["rows", "lists", "spans"]
    tokens: str
    tags: str
    sentence: str = ""


def found_tag_columns(
    records: Records, *, text: str = "", label: str = "", sentence: str = ""
) -> TagColumns | None:
    """Return the columns that the user names, or else those with usual names; None if the table has no tags.

    Args:
        records: The table.
        text: The column of tokens, or of texts, that the user names.
        label: The column of tags, or of spans, that the user names.
        sentence: The column of sentences that the user names.
    """
    tags = [label] if label else _usual(records, TAGS)
    texts = [text] if text else _usual(records, TOKENS)
    sentences = [sentence] if sentence else _usual(records, SENTENCES)
    for tag in tags:
        cells = _cells(records, tag)
        if any(map(is_of_spans, cells)):
            found = next((name for name in _inner(texts) if name != tag and _are_texts(records, name)), None)
            if found is not None:
                return TagColumns(form="spans", tokens=found, tags=tag)
        for name in (each for each in texts if each != tag):
            if _are_lists(_cells(records, name), cells, is_named=bool(text and label)):
                return TagColumns(form="lists", tokens=name, tags=tag)
        for name in (each for each in texts if each != tag):
            others = [each for each in sentences if each not in (tag, name)]
            if (
                (others or _has_empty_rows(records))
                and _are_words(records, name)
                and _are_words(records, tag)
            ):
                return TagColumns(form="rows", tokens=name, tags=tag, sentence=others[0] if others else "")
    return None


def listed(value: Any) -> list[Any] | None:
    """Return a list, or the list that a text writes in JSON or in Python; None if it is neither."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(found) if isinstance(found, (list, tuple)) else None
    return None


def words_in(value: Any) -> list[Any] | None:
    """Return a list as in `listed`, or the words of a text between white space; None if there are none."""
    found = listed(value)
    return value.split() if found is None and isinstance(value, str) else found


def is_of_spans(cell: Any) -> bool:
    """Return whether a value is a list of spans, or an object with a list for each of their parts."""
    if isinstance(cell, dict):
        return any(isinstance(cell.get(key), list) for key in STARTS)
    first = next(iter(listed(cell) or ()), None)
    if isinstance(first, dict):
        value = first.get("value")
        inner = value if isinstance(value, dict) else first
        return "result" in first or any(key in inner for key in STARTS)
    return isinstance(first, (list, tuple)) and len(first) > _SEVERAL and isinstance(first[0], int)


def _usual(records: Records, names: Sequence[str]) -> list[str]:
    """Return the columns with usual names, in the order of the names; the name itself comes before others like it."""
    alike = sorted(records.columns, key=lambda column: column.casefold() not in names)
    return [column for name in names for column in alike if plain_name(column) == name]


def _cells(records: Records, name: str) -> list[Any]:
    values = (column_value(row.values, name) for row in records.rows[:_PROBED])
    return [value for value in values if value is not None]


def _inner(names: Sequence[str]) -> list[str]:
    """Return the names, with those of texts inside of an object, as Label Studio writes them."""
    return [*(f"{name}.text" for name in names if name == "data"), *names]


def _are_texts(records: Records, name: str) -> bool:
    cells = _cells(records, name)
    return bool(cells) and all(isinstance(cell, str) and listed(cell) is None for cell in cells)


def _has_empty_rows(records: Records) -> bool:
    return bool(records.breaks) or any(
        all(value in (None, "") for value in row.values.values()) for row in records.rows[:_PROBED]
    )


def _are_words(records: Records, name: str) -> bool:
    """Return whether most cells are a single word or a number."""
    cells = [str(cell).split() for cell in _cells(records, name) if not isinstance(cell, (list, dict))]
    return sum(len(words) <= 1 for words in cells) * 10 > 9 * len(cells) > 0


def _are_lists(tokens: Sequence[Any], tags: Sequence[Any], *, is_named: bool) -> bool:
    """Return whether columns have lists in their cells, or texts of as many words as there are tags.

    Lists may have different lengths, which is an error of the data. Texts with other numbers of words are only taken if
    the user has named both columns.
    """
    if not tokens or not tags:
        return False
    if listed(tokens[0]) is not None and listed(tags[0]) is not None:
        return True
    pairs = [(words_in(one), words_in(other)) for one, other in zip(tokens, tags, strict=False)]
    counts = [(len(one), len(other)) for one, other in pairs if one and other]
    is_longer = any(count > 1 for _, count in counts)
    return is_longer and (is_named or sum(one == other for one, other in counts) * 10 > 9 * len(pairs))
