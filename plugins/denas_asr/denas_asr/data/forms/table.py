"""Tables with a header: CSV with commas or semicolons, TSV as that of Common Voice, and the original's manifests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.problems import Problems
from denas_asr.data.text_file import NotText, read_text
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

from .columns import ANY_COLUMNS, Columns, find_roles, missing_columns, utterance_of

NAME = "a table of audio files with transcripts"
DELIMITERS = ("\t", ";", ",", "|")
_QUOTED = (",", ";")
"""Delimiters with which cells are in quotes. Common Voice and LJSpeech write quotes as they are said."""


def has_header(text: str, columns: Columns) -> bool:
    """Return whether a text begins with the names of the columns that are needed."""
    return find_roles(*_header(text, columns)[1:]).is_complete


def names_audio(text: str) -> bool:
    """Return whether a text begins with the names of columns, of which one is for audio files."""
    first = next((line for line in _lines(text) if line.strip()), "")
    return any(find_roles(first.split(delimiter), ANY_COLUMNS).audio for delimiter in DELIMITERS)


def utterances(path: Path, paths: AudioPaths, columns: Columns, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a table in its order; faulty rows are added to `problems`.

    Raises:
        ConfigError: it is not a table, or lacks a column.
    """
    try:
        text = read_text(path)
    except NotText as error:
        raise ConfigError(f"manifest {str(path)!r} is not a table in UTF-8: {error}") from error
    delimiter, names, wanted = _header(text, columns)
    roles = find_roles(names, wanted)
    if not roles.is_complete:
        raise missing_columns(names, wanted, repr(str(path)))
    try:
        for number, row in rows(text, delimiter):
            if row == names:
                continue
            if len(row) != len(names):
                problems.add(
                    "damaged transcript",
                    f"line {number} of {path.name} has too many or too few cells ({len(row)}, not {len(names)})",
                )
                continue
            cells = dict(zip(names, row, strict=True))
            found = utterance_of(cells, roles, paths, problems, f"line {number} of {path.name}")
            if found is not None:
                yield found
    except csv.Error as error:
        raise ConfigError(
            f"manifest {str(path)!r} is not a table in UTF-8: {error}; create it again"
        ) from error


def rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with the numbers of their last lines, without empty ones.

    Raises:
        csv.Error: quotes or cells are impossible.
    """
    if delimiter in _QUOTED:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        yield from ((reader.line_num, row) for row in reader if row)
        return
    for number, line in enumerate(_lines(text), start=1):
        if line.strip():
            yield number, [_unquoted(cell) for cell in line.split(delimiter)]


def _header(text: str, columns: Columns) -> tuple[str, list[str], Columns]:
    """Return the delimiter of a table and the names of its columns; `columns` again for `find_roles`."""
    first = next((line for line in _lines(text) if line.strip()), "")
    best: tuple[str, list[str]] = (",", [])
    for delimiter in DELIMITERS:
        try:
            names = next((row for _, row in rows(first, delimiter)), [])
        except csv.Error:
            continue
        if find_roles(names, columns).is_complete:
            return delimiter, names, columns
        if len(names) > len(best[1]):
            best = delimiter, names
    return *best, columns


def _lines(text: str) -> Iterable[str]:
    # str.splitlines would also split at characters within a text, such as U+2028.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _unquoted(cell: str) -> str:
    """Return a cell without the quotes that a program for tables has put around it."""
    inner = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell
