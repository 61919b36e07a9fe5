"""Read tables with the tokens and the tags of a sentence in each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from denas_core.errors import ConfigError
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value, text_of
from denas_nlp.text.faults import damage_notices

from .columns import TagColumns, words_in
from .label_names import is_number, tag_of, unnamed, wrong_tag
from .tagged import Found, Tagged


def read_token_lists(records: Records, columns: TagColumns, names: Sequence[str]) -> Found:
    """Return the sentences of a table with lists of tokens and tags, or texts of them with white space between.

    Raises:
        ConfigError: there is no sentence, the tags are numbers without names, or many rows are damaged.
    """
    found: list[Tagged] = []
    damaged = list(records.damaged)
    numbers = total = 0
    for row in records.rows:
        words = words_in(column_value(row.values, columns.tokens))
        given = words_in(column_value(row.values, columns.tags))
        numbers += sum(map(is_number, given or ()))
        total += len(given or ())
        sentence = _sentence(words, given, names)
        if isinstance(sentence, str):
            damaged.append(f"{row.place} ({sentence})")
        else:
            found.append(sentence)
    if total and numbers == total and not names:
        raise unnamed(records.path)
    if not found and not damaged:
        raise ConfigError(f"{str(records.path)!r} has no sentence with tags")
    damage = damage_notices(
        records.path,
        damaged,
        len(found) + len(damaged),
        way_out="give a list of tokens and one of tags in each row",
    )
    used = (
        f"{records.path.name!r} is {records.format}: lists of tokens from {columns.tokens!r}, tags from "
        f"{columns.tags!r}"
    )
    return found, (*records.notices, used, *damage)


def _sentence(words: list[Any] | None, given: list[Any] | None, names: Sequence[str]) -> Tagged | str:
    if words is None or given is None:
        return "not a list of tokens with as many tags"
    if len(words) != len(given):
        return f"{len(words)} tokens, but {len(given)} tags"
    if not words:
        return "no token"
    tokens, tags = [text_of(word) for word in words], [tag_of(tag, names) for tag in given]
    if None in tokens:
        return "an empty token"
    if None in tags:
        return wrong_tag(given[tags.index(None)], names)
    return Tagged(tuple(map(str, tokens)), tuple(map(str, tags)))
