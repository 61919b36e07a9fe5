"""Describe sentences with tags."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.tables.read import read_records
from denas_nlp.text.describing import (
    MOST_BYTES,
    language_facts,
    length_facts,
    spaces_for,
    token_length,
    vocabulary_options,
)
from denas_nlp.text.files import Files, found_files

from .columns import found_tag_columns
from .reader import TagReader
from .spans import OUTSIDE, has_prefixes, spans_of
from .tagged import Tagged, tag_names

_MOST_TAGS = 200
_WORDS_OF_A_SENTENCE = 1.5
"""Sentences have more words on average; lines of other files have an empty line after each, or none at all."""


def described(reader: TagReader, data: Path, files: Files, *, vocab: str) -> DataDescription | None:
    """Return the sentences and labels of the data set at `data`; None if it has no sentences with tags.

    Args:
        reader: What the user says about the columns.
        data: The data set.
        files: The names of its files.
        vocab: The vocabulary that the user has named.

    Raises:
        ConfigError: there is a table with tags, and it cannot be learnt from.
    """
    if not data.is_dir() and not files.suffix_of(data):
        return None
    sentences: dict[str, list[Tagged]] = {}
    is_table = False
    try:
        found = found_files(data, files, to_evaluate=False)
        if not found.train:
            return None
        if reader.is_table(found.train[0]):
            is_table = _has_tags(reader, found.train[0])
            if not is_table:
                return None
        notices = list(found.notices)
        for part, pieces in (("train", found.train), ("valid", found.valid), ("test", found.test)):
            for path in pieces:
                more, told = reader.read(path)
                sentences[part] = [*sentences.get(part, ()), *more]
                notices += told
    except ConfigError:
        if is_table:
            raise
        return None
    learnt = sentences["train"]
    if not is_table and not _are_tagged(learnt):
        return None
    tag_names(learnt, str(data))
    texts = [" ".join(sentence.tokens) for sentence in learnt]
    length = token_length(texts)
    labels = Counter(label for sentence in learnt for label, _, _ in spans_of(sentence.tags))
    return DataDescription(
        format="sentences with a tag for each token",
        samples={part: len(each) for part, each in sentences.items()},
        labels=dict(labels.most_common()),
        facts={
            "tokens": sum(len(sentence.tokens) for sentence in learnt),
            **length_facts(texts),
            **language_facts(texts),
        },
        task_options=vocabulary_options(data, vocab),
        space_options={"seq_len": length},
        spaces=spaces_for(len(learnt)),
        notices=tuple(notices),
    )


def _has_tags(reader: TagReader, path: Path) -> bool:
    """Return whether a table has columns of tokens and tags; most tables have none."""
    records = read_records(path, most=MOST_BYTES)
    return (
        found_tag_columns(records, text=reader.text, label=reader.label, sentence=reader.sentence) is not None
    )


def _are_tagged(sentences: list[Tagged]) -> bool:
    """Return whether the last column has tags: they have prefixes, or are few, short words."""
    tags = Counter(tag for sentence in sentences for tag in sentence.tags)
    is_of_sentences = tags.total() >= _WORDS_OF_A_SENTENCE * len(sentences)
    if OUTSIDE in tags and len(tags) > 1 and has_prefixes(tags):
        return True
    is_few = len(tags) <= min(_MOST_TAGS, tags.total() // 10) and all(
        tag.isupper() for tag in tags if tag.isalpha()
    )
    return is_of_sentences and len(tags) > 1 and is_few
