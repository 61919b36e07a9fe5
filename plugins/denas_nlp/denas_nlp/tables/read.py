"""Read a table of any known format; the content of the file decides which it is."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from denas_core.errors import ConfigError
from denas_nlp.text.content import PARQUET, as_utf8, decoded, read_file

from .delimited import read_delimited
from .json_rows import read_json
from .parquet import read_parquet
from .records import Record, Records
from .saved import is_saved, read_saved
from .text_folders import holds_texts, read_text_folders
from .values import composed

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet")
"""Suffixes of files that may be tables; a ``.gz`` after them is ignored."""

_KEPT_BYTES = 8 * 2**20
"""The table that was read last is kept if its file is not larger."""


def read_records(path: Path, *, most: int | None = None) -> Records:
    """Return the rows of a file of CSV, JSON or Parquet, or of a folder of the library datasets or of text files.

    Args:
        path: The file or folder.
        most: Number of bytes of CSV or JSON lines after which the rest of the file is not read; None for all.

    Raises:
        ConfigError: the file cannot be read, or has another format.
        NotInstalled: a library that reads the format is missing.
    """
    records = _read(path, most)
    names = {column: composed(column) for column in records.columns}
    if all(column == name for column, name in names.items()):
        return records
    rows = [
        Record(row.place, {composed(column): value for column, value in row.values.items()})
        for row in records.rows
    ]
    classes = {composed(column): found for column, found in records.names.items()}
    return dataclasses.replace(records, columns=tuple(names.values()), rows=rows, names=classes)


def _read(path: Path, most: int | None) -> Records:
    if path.is_dir():
        if is_saved(path):
            return read_saved(path)
        if holds_texts(path):
            return read_text_folders(path, most=most)
        raise ConfigError(f"{str(path)!r} is a folder, not a table")
    content = read_file(path)
    if len(content) <= min(_KEPT_BYTES, most or _KEPT_BYTES):
        return _kept(path, content)
    return _of_content(path, content, most)


@functools.lru_cache(maxsize=1)
def _kept(path: Path, content: bytes) -> Records:
    """Return the rows of a file. Several tasks describe the same table, one after the other, and one then reads it."""
    return _of_content(path, content, None)


def _of_content(path: Path, content: bytes, most: int | None) -> Records:
    if content.startswith(PARQUET):
        return read_parquet(path, content)
    content = as_utf8(content, path)
    if not content.strip():
        raise ConfigError(f"{str(path)!r} is empty; give a table with a header")
    if content.lstrip()[:1] in (b"{", b"["):
        return read_json(path, content, most=most)
    share = 1.0
    if most is not None and len(content) > most:
        begin = content[: content.rfind(b"\n", 0, most) + 1] or content[:most]
        content, share = begin, len(begin) / len(content)
    found = decoded(content, path)
    records = read_delimited(path, found.text, notices=found.notices)
    return dataclasses.replace(records, share=share)
