"""JSON lines, as NeMo writes them, and lists of JSON objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.problems import Problems
from denas_asr.data.text_file import NotText, read_text
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

from .columns import Columns, find_roles, missing_columns, utterance_of

NAME = "JSON lines with audio files and transcripts"


def is_json(text: str) -> bool:
    """Return whether a text begins as an object or a list of objects of JSON does."""
    start = text.lstrip()
    return start.startswith("{") or (start.startswith("[") and start[1:].lstrip().startswith("{"))


def has_keys(text: str, columns: Columns) -> bool:
    """Return whether the first object in a text has an audio file and a transcript."""
    try:
        first, _ = json.JSONDecoder().raw_decode(text.lstrip().removeprefix("[").lstrip())
    except ValueError:
        return False
    return isinstance(first, dict) and find_roles(list(first), columns).is_complete


def utterances(path: Path, paths: AudioPaths, columns: Columns, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a file in its order; faulty lines are added to `problems`.

    Raises:
        ConfigError: the file is not JSON, or its first object has no audio file or no transcript.
    """
    try:
        text = read_text(path)
    except NotText as error:
        raise ConfigError(f"manifest {str(path)!r} is not JSON in UTF-8: {error}") from error
    roles = None
    for place, row in _objects(text, path, problems):
        if roles is None:
            roles = find_roles(list(row), columns)
            if not roles.is_complete:
                raise missing_columns(list(row), columns, repr(str(path)))
        if roles.audio not in row or roles.text not in row:
            missing = roles.text if roles.audio in row else roles.audio
            problems.add("damaged transcript", f"{place} has no {missing!r}")
        elif (found := utterance_of(row, roles, paths, problems, place)) is not None:
            yield found


def _objects(text: str, path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"manifest {str(path)!r} is not JSON: {error}; create it again") from error
        numbered = [(f"object {number} of {path.name}", row) for number, row in enumerate(rows, start=1)]
    else:
        numbered = []
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            place = f"line {number} of {path.name}"
            try:
                numbered.append((place, json.loads(line)))
            except (ValueError, RecursionError) as error:
                problems.add("damaged transcript", f"{place} is not JSON: {error}")
    for place, row in numbered:
        if isinstance(row, dict):
            yield place, row
        else:
            problems.add("damaged transcript", f"{place} is not an object of JSON")
