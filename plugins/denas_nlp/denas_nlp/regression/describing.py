"""Describe a table of texts and numbers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.classification.describing import first_table, is_table_of_texts
from denas_nlp.classification.labels import is_scale
from denas_nlp.classification.reading import Labelled
from denas_nlp.classification.table_task import FILES
from denas_nlp.tables.read import read_records
from denas_nlp.text.describing import (
    MOST_BYTES,
    language_facts,
    length_facts,
    spaces_for,
    token_length,
    vocabulary_options,
)
from denas_nlp.text.files import found_files

from .reading import ScoreReader, score_of


def described(
    reader: ScoreReader, data: Path, *, vocab: str, max_length: int, whole_numbers: bool
) -> DataDescription | None:
    """Return what the tables at `data` contain; None if they are not texts with numbers of a scale.

    Args:
        reader: The reader, with what the user says about the columns.
        data: The table, or a folder with tables.
        vocab: The vocabulary that the user has named.
        max_length: Greatest number of tokens of a sample.
        whole_numbers: Whether few different whole numbers are a scale, too.
    """
    if not data.is_dir() and not FILES.suffix_of(data):
        return None
    try:
        found = found_files(data, FILES, to_evaluate=False)
        first = first_table(found.train[0]) if found.train else None
        if first is None or not first.has_names or not is_table_of_texts(reader, first):
            return None
        rows, told = reader.read_records(first)
    except ConfigError:
        # A table whose last column has labels is one of another task, which says what is wrong with it.
        return None
    labels = [row.labels[0] for row in rows]
    if not rows or not (is_scale(labels) or whole_numbers):
        return None
    samples: dict[str, int] = {}
    notices = dict.fromkeys((*found.notices, *told))
    texts, scores = _texts(rows), [score_of(row) for row in rows]
    for part, pieces in (("train", found.train), ("valid", found.valid), ("test", found.test)):
        for path in pieces:
            records = first if path == found.train[0] else read_records(path, most=MOST_BYTES)
            samples[part] = samples.get(part, 0) + round(len(records.rows) / records.share)
    length = token_length(texts)
    column = reader.columns.labels[0]
    return DataDescription(
        format=f"{first.format} of {'pairs of texts' if len(reader.columns.texts) > 1 else 'texts'} with numbers",
        samples=samples,
        facts={
            "texts": " and ".join(reader.columns.texts),
            column: f"from {min(scores):g} to {max(scores):g}, {statistics.fmean(scores):.4g} on average",
            **length_facts(texts),
            **language_facts(texts),
        },
        exact=False,
        task_options={
            **vocabulary_options(data, vocab),
            **({"max_length": length} if length > max_length else {}),
            **({"whole_numbers": True} if whole_numbers else {}),
        },
        space_options={"seq_len": length},
        spaces=spaces_for(samples["train"]),
        notices=tuple(notices),
    )


def _texts(rows: Sequence[Labelled]) -> list[str]:
    return [" ".join(row.texts) for row in rows]
