"""Read lines of a token and its tag, as in CoNLL-2003."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.names import plain_name
from denas_nlp.tables.values import composed
from denas_nlp.text.content import LOST
from denas_nlp.text.faults import damage_notices

from .columns import TAGS, TOKENS
from .tagged import Found, Tagged

DOCUMENT = "-DOCSTART-"
"""The token that begins a document."""


def read_conll(text: str, path: Path) -> Found:
    """Return the sentences of a text, and notices about damaged ones.

    Raises:
        ConfigError: the text has another form, or many damaged sentences.
    """
    sentences: list[Tagged] = []
    damaged: list[str] = []
    widths: Counter[int] = Counter()
    tokens: list[str] = []
    tags: list[str] = []
    fault = ""
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        # Any white space separates; a token may contain a rare one that split() alone would take for a separator.
        fields = line.replace("\t", " ").rstrip("\r").split(" ")
        fields = [field for field in fields if field]
        if fields and fields[0] != DOCUMENT:
            # A comment before a sentence names its id.
            if fields[0] == "#" and not tokens and "=" in line:
                continue
            if not widths and _is_header(fields):
                continue
            widths[len(fields)] += 1
            if len(fields) < 2:
                fault = fault or f"line {number} (a token without a tag: {safe_repr(fields[0], 30)})"
            elif LOST.search(line):
                fault = fault or f"line {number} (not UTF-8)"
            else:
                tokens.append(fields[0])
                tags.append(composed(fields[-1]))
            continue
        if fault:
            damaged.append(fault)
        elif tokens:
            sentences.append(Tagged(tuple(tokens), tuple(tags)))
        tokens, tags, fault = [], [], ""
    total = len(sentences) + len(damaged)
    if not total:
        raise ConfigError(f"{str(path)!r} has no sentence; give lines of a token and its tag")
    damage = damage_notices(
        path,
        damaged,
        total,
        items="sentences",
        way_out="give a token and its tag in each line, and an empty line after a sentence",
    )
    columns = widths.most_common(1)[0][0]
    odd = sum(count for width, count in widths.items() if width not in (1, columns))
    if odd * 10 > widths.total():
        raise ConfigError(
            f"{odd} of the {widths.total()} lines of {str(path)!r} have another number of columns than {columns}: give "
            "a token and its tag in each line, and an empty line after a sentence"
        )
    notices = [*damage]
    if columns > 2:
        notices.append(
            f"{path.name!r} has {columns} columns: the first is the token, and the last is the tag"
        )
    if odd:
        notices.append(f"{odd} lines of {path.name!r} have another number of columns than {columns}")
    return sentences, tuple(notices)


def _is_header(fields: list[str]) -> bool:
    """Return whether the fields of the first line name columns."""
    return len(fields) > 1 and plain_name(fields[0]) in TOKENS and plain_name(fields[-1]) in TAGS
