"""Read sentences with tags: a token and its tag in each line, as in CoNLL, or lists of both in the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.names import known
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import composed, label_of
from denas_nlp.text.content import LOST, PARQUET, as_utf8, decoded, read_file
from denas_nlp.text.faults import damage_notices

from .spans import OUTSIDE, has_prefixes, spans_of

DOCUMENT = "-DOCSTART-"
"""The token that begins a document."""

TOKENS = ("tokens", "words", "text", "sentence")
TAGS = ("ner tags", "tags", "labels", "ner", "ner_tags", "pos tags", "chunk tags", "label")


class Tagged(NamedTuple):
    """A sentence.

    Attributes:
        tokens: Its tokens.
        tags: The tag of each token.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


def read_sentences(path: Path) -> tuple[list[Tagged], tuple[str, ...]]:
    """Return the sentences of a file, and notices about damaged ones.

    Raises:
        ConfigError: the file cannot be read, has another format, or has many damaged sentences.
    """
    if path.is_dir():
        return _of_table(read_records(path))
    content = read_file(path)
    if content.startswith(PARQUET):
        return _of_table(read_records(path))
    content = as_utf8(content, path)
    if content.lstrip()[:2] in (b'{"', b"[{", b"[\n", b"[ "):
        return _of_table(read_records(path))
    text = decoded(content, path)
    sentences, notices = _of_lines(text.text, path)
    return sentences, (*text.notices, *notices)


def tag_names(sentences: Sequence[Tagged], name: str) -> list[str]:
    """Return the tags of a network: those of IOB2, or the tags themselves if they have no prefixes.

    Raises:
        ConfigError: there is no other tag than `OUTSIDE`.
    """
    tags = {tag for sentence in sentences for tag in sentence.tags}
    if has_prefixes(tags):
        labels = {label for sentence in sentences for label, _, _ in spans_of(sentence.tags)}
        found = [OUTSIDE, *(f"{prefix}-{label}" for label in sorted(labels) for prefix in "BI")]
    else:
        found = [*([OUTSIDE] if OUTSIDE in tags else []), *sorted(tags - {OUTSIDE})]
    if len(found) < 2:
        raise ConfigError(
            f"all tokens of {name!r} have the tag {safe_repr(found[0], 30)}; give sentences with other tags, such as "
            "B-PER"
        )
    return found


def _of_lines(text: str, path: Path) -> tuple[list[Tagged], tuple[str, ...]]:
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


def _of_table(records: Records) -> tuple[list[Tagged], tuple[str, ...]]:
    tokens, tags = known(records.columns, TOKENS), known(records.columns, TAGS)
    if tokens is None or tags is None:
        listed = ", ".join(map(repr, records.columns[:10]))
        raise ConfigError(
            f"{str(records.path)!r} has the columns {listed}; looked for lists 'tokens' and 'ner_tags', or lines of a "
            "token and its tag"
        )
    names = records.names.get(tags, ())
    found: list[Tagged] = []
    damaged = list(records.damaged)
    numbers = 0
    for record in records.rows:
        words, given = record.values.get(tokens), record.values.get(tags)
        if not isinstance(words, list) or not isinstance(given, list) or len(words) != len(given):
            damaged.append(f"{record.place} (not a list of tokens with as many tags)")
            continue
        labels = [label_of(tag, names) for tag in given]
        if not words or None in labels or not all(isinstance(word, str) and word.strip() for word in words):
            damaged.append(f"{record.place} (an empty token or tag)")
            continue
        numbers += sum(isinstance(tag, int) for tag in given) if not names else 0
        found.append(Tagged(tuple(words), tuple(map(str, labels))))
    if numbers:
        raise ConfigError(
            f"the tags of {str(records.path)!r} are numbers whose names are not in the file; write the tags as texts, "
            "such as 'B-PER', or save the data set with datasets.save_to_disk"
        )
    if not found:
        raise ConfigError(f"{str(records.path)!r} has no sentence with tags")
    damage = damage_notices(
        records.path,
        damaged,
        len(found) + len(damaged),
        way_out="give a list of tokens and one of tags in each row",
    )
    return found, (*records.notices, *damage)
