"""Lists without a header: a file or its name, and its transcript, such as the ``metadata.csv`` of LJSpeech."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.problems import Problems, shown
from denas_asr.data.text_file import NotText, read_text
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

from .columns import ascii_if_needed
from .table import rows as rows_of_table

NAME = "a list of audio files with transcripts"
DELIMITERS = ("|", "\t", ";", ",", " ")
LOOKED_AT = 5
"""Number of lines in which a file must be found, because the first one may be missing."""


def delimiter_of(text: str, paths: AudioPaths) -> str | None:
    """Return what ends the name of a file in a list of files, or None if the text is not such a list."""
    for delimiter in DELIMITERS:
        try:
            first = list(islice(_rows(text, delimiter), LOOKED_AT))
        except csv.Error:
            continue
        # A word at the beginning of a text may be the name of a recording by chance, but not with its ending.
        rows = [row for _, row in first if delimiter != " " or row[0].lower().endswith(EXTENSIONS)]
        if any("".join(row[1:]).strip() and paths.find(row[0]) for row in rows):
            return delimiter
    return None


def utterances(path: Path, paths: AudioPaths, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a list in its order; faulty lines are added to `problems`.

    The text is in the last cell that is not empty: the third one of LJSpeech has numbers in words.

    Raises:
        ConfigError: the file is not a list of audio files.
    """
    try:
        text = read_text(path)
    except NotText as error:
        raise ConfigError(f"manifest {str(path)!r} is not a table in UTF-8: {error}") from error
    delimiter = delimiter_of(text, paths)
    if delimiter is None:
        raise ConfigError(f"{str(path)!r} names no audio file that can be found in its first lines")
    cells = None
    try:
        for number, row in _rows(text, delimiter):
            cells = cells or len(row)
            if len(row) < 2 or len(row) != cells:
                problems.add(
                    "damaged transcript",
                    f"line {number} of {path.name} has too many or too few cells ({len(row)}, not {cells})",
                )
            elif (audio := paths.find(row[0])) is None:
                problems.add("missing audio", f"{shown(row[0].strip())}: {ascii_if_needed(row[0].strip())}")
            else:
                texts = [cell for cell in row[1:] if cell.strip()]
                yield Found(row[0].strip(), audio, texts[-1] if texts else "")
    except csv.Error as error:
        raise ConfigError(
            f"manifest {str(path)!r} is not a table in UTF-8: {error}; create it again"
        ) from error


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    if delimiter != " ":
        yield from rows_of_table(text, delimiter)
        return
    for number, row in rows_of_table(text, "\n"):
        # Any white space may end a name.
        name, *rest = row[0].split(None, 1)
        yield number, [name, rest[0] if rest else ""]
