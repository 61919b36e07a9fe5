"""Describe the data of a task of GLUE."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.text.content import read_text
from denas_nlp.text.describing import (
    language_facts,
    length_facts,
    spaces_for,
    token_length,
    vocabulary_options,
)
from denas_nlp.text.files import Files, found_files
from denas_nlp.text.sentences import Row

from .table import Table


def described(table: Table, data: Path, files: Files, *, vocab: str) -> DataDescription | None:
    """Return what the files of a task contain; None if they are not those of the task.

    They are if the folder has the name of the official one, or if no other table has these columns. A table with a
    sentence and a label of 0 or 1 may be anything.

    Args:
        table: The format of the task's file.
        data: The data set.
        files: The names of its files.
        vocab: The vocabulary that the user has named.

    Raises:
        ConfigError: the folder has the name of the official one, and its files cannot be read.
    """
    if not data.is_dir() and not files.suffix_of(data):
        return None
    folders = (data.name, data.parent.name) if not data.is_dir() else (data.name,)
    is_named = _plain(files.folder) in map(_plain, folders) or (data / files.folder).is_dir()
    try:
        found = found_files(data, files, to_evaluate=False)
    except ConfigError:
        if is_named:
            raise
        return None
    if not found.train:
        return None
    if not is_named and not _has_its_columns(table, found.train[0]):
        return None
    rows: dict[str, list[Row]] = {}
    notices = list(found.notices)
    try:
        for part, pieces in (("train", found.train), ("valid", found.valid)):
            for path in pieces:
                more, told = table.read(path)
                rows[part] = [*rows.get(part, ()), *more]
                notices += told
    except ConfigError:
        if is_named:
            raise
        return None
    texts = [" ".join(row.texts) for row in rows["train"]]
    length = token_length(texts)
    names = list(table.labels.values())
    labels = Counter(names[int(row.number)] for row in rows["train"]) if names else Counter[str]()
    return DataDescription(
        format=f"{files.folder} of GLUE",
        samples={part: len(each) for part, each in rows.items()},
        labels=dict(labels.most_common()),
        facts={**length_facts(texts), **language_facts(texts)},
        task_options=vocabulary_options(data, vocab),
        space_options={"seq_len": length},
        spaces=spaces_for(len(texts)),
        notices=tuple(notices),
    )


def _has_its_columns(table: Table, path: Path) -> bool:
    if not table.is_distinct or path.is_dir():
        return False
    try:
        first = read_text(path).split(b"\n", 1)[0]
    except ConfigError:
        return False
    columns = table.columns_of(first, is_official=True)
    return columns is not None and columns == (table.headless or columns)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
