"""Describe a table of texts and labels."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.tables.names import plain_name
from denas_nlp.tables.read import SUFFIXES, read_records
from denas_nlp.tables.records import Records
from denas_nlp.tagging.columns import found_tag_columns
from denas_nlp.text.describing import (
    MOST_BYTES,
    language_facts,
    length_facts,
    spaces_for,
    token_length,
    vocabulary_options,
)
from denas_nlp.text.files import Files, found_files
from denas_nlp.text.parts import Parts

from .columns import found_columns, is_several
from .reading import Labelled, TableReader
from .targets import label_facts, label_notices, overlap_notices

_OF_OTHERS = frozenset({"context", "answers", "tokens", "ner tags"})
"""Columns of question answering and of tagged sentences, which other tasks read."""

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".gz")

_FILES = (".wav", ".flac", ".mp3", ".ogg", ".jpg", ".jpeg", ".png", ".gif")


def described(
    given: TableReader, data: Path, files: Files, *, vocab: str, max_length: int
) -> DataDescription | None:
    """Return what the tables at `data` contain; None if there is no table with a column of texts.

    Args:
        given: What the user says about the columns.
        data: The table, or a folder with tables.
        files: The names of the files.
        vocab: The vocabulary that the user has named.
        max_length: Greatest number of tokens of a sample.

    Raises:
        ConfigError: there is such a table, and it cannot be learnt from.
    """
    if not data.is_dir() and not files.suffix_of(data):
        return None
    try:
        found = found_files(data, files, to_evaluate=False)
    except ConfigError:
        # Documents and texts with several possible names are not tables.
        if data.is_dir() and not any(each.suffix in _TABLES for each in data.iterdir()):
            return None
        raise
    paths = {"train": found.train, "valid": found.valid, "test": found.test}
    if not found.train:
        return None
    first = first_table(found.train[0])
    if first is None or not is_table_of_texts(given, first):
        return None
    columns = found_columns(first, text=given.text, pair=given.pair, label=given.label)
    is_multi = given.multi_label or is_several(first, columns, given.separator)
    reader = dataclasses.replace(given, multi_label=is_multi, files=[])
    rows: dict[str, list[Labelled]] = {}
    samples: dict[str, int] = {}
    notices: dict[str, None] = dict.fromkeys(found.notices)
    for part, pieces in paths.items():
        for path in pieces:
            records = first if path == found.train[0] else read_records(path, most=MOST_BYTES)
            try:
                more, told = reader.read_records(records)
            except ConfigError as error:
                if part == "test":
                    # Tests often have no labels; training does not read them.
                    notices[f"nothing can be measured on the test file: {error}"] = None
                    continue
                raise
            rows[part] = [*rows.get(part, ()), *more]
            samples[part] = samples.get(part, 0) + round(len(more) / records.share)
            notices.update(dict.fromkeys(told))
            if records.share < 1:
                notices[f"numbers of {path.name!r} are estimated from its first {records.share:.0%}"] = None
    parts = Parts(train=rows["train"], valid=rows.get("valid", []), notices=())
    facts = label_facts(parts, reader)
    notices.update(dict.fromkeys(label_notices(rows["train"], facts)))
    notices.update(dict.fromkeys(overlap_notices(parts, facts) if "valid" in rows else ()))
    texts = [" ".join(row.texts) for row in rows["train"]]
    length = token_length(texts)
    scale = samples["train"] / max(len(rows["train"]), 1)
    return DataDescription(
        format=_format(first, reader),
        samples=samples,
        labels={label: round(scale * count) for label, count in _counts(rows["train"]).items()},
        facts={
            **_named(first, reader),
            **length_facts(texts),
            **language_facts(texts),
        },
        exact=False,
        task_options=_options(reader, data, vocab, length > max_length, length),
        space_options={"seq_len": length},
        spaces=spaces_for(samples["train"]),
        notices=tuple(notices),
    )


def _format(first: Records, reader: TableReader) -> str:
    if not first.has_names:
        return first.format
    texts = "pairs of texts" if len(reader.columns.texts) > 1 else "texts"
    return f"{first.format} of {texts} with {'several labels' if reader.multi_label else 'labels'}"


def _named(first: Records, reader: TableReader) -> dict[str, str]:
    if not first.has_names:
        return {}
    return {
        "texts": " and ".join(reader.columns.texts),
        "label columns": ", ".join(reader.columns.labels),
    }


def first_table(path: Path) -> Records | None:
    """Return the training table; None if the file is no table."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    try:
        return read_records(path, most=MOST_BYTES)
    except ConfigError:
        # Any text file may end in .txt, and any document in .json.
        if suffix in (".txt", ".json") or suffix not in SUFFIXES:
            return None
        raise


def is_table_of_texts(given: TableReader, records: Records) -> bool:
    """Return whether a table has a column of texts, and is not one of questions, tags, recordings or pictures."""
    if given.text or given.label:
        return True
    names = {plain_name(column) for column in records.columns}
    if len(names & _OF_OTHERS) > 1 or "paragraphs" in names or found_tag_columns(records):
        return False
    cells = [value for row in records.rows[:20] for value in row.values.values()]
    if any(isinstance(cell, str) and cell.lower().endswith(_FILES) for cell in cells):
        return False
    try:
        found_columns(records, needs_labels=False)
    except ConfigError:
        return False
    return True


def _counts(rows: Sequence[Labelled]) -> dict[str, int]:
    return dict(Counter(label for row in rows for label in row.labels).most_common())


def _options(reader: TableReader, data: Path, vocab: str, is_long: bool, length: int) -> dict[str, Any]:
    options: dict[str, Any] = vocabulary_options(data, vocab)
    if reader.multi_label:
        options["multi_label"] = True
    if is_long:
        options["max_length"] = length
    return options
