"""Recognise the form of a manifest by its content, and read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.listing import list_folder
from denas_asr.data.problems import Problems
from denas_asr.data.text_file import read_text
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

from . import file_list, json_lines, librispeech, table
from .columns import ANY_COLUMNS, Columns

ENDINGS = (".csv", ".tsv", ".jsonl", ".json", ".ndjson", ".txt", ".lst", ".gz")
"""Endings of files in a folder that may be manifests. A file that the user names may have any ending."""

PREFERRED = "metadata"
"""The name of the manifest beside the recordings in LJSpeech and in folders of the `datasets` library."""

HEAD = 64 * 1024
"""Number of bytes by which a form is recognised."""

Form = Literal["table", "json", "list"]


def form_of(path: Path, data: Path, columns: Columns) -> Form | None:
    """Return the form of a manifest, or None if it is not a manifest.

    Args:
        path: The file.
        data: The data folder.
        columns: The columns that the user names.
    """
    try:
        text = read_text(path, most=HEAD)
    except ConfigError:
        return None
    if json_lines.is_json(text):
        return "json" if json_lines.has_keys(text, columns) else None
    if table.has_header(text, columns):
        return "table"
    if columns != ANY_COLUMNS or table.names_audio(text):
        return None
    return "list" if file_list.delimiter_of(text, AudioPaths.of_manifest(path, data)) else None


def manifests_in(folder: Path, columns: Columns) -> dict[str, Path]:
    """Return the manifests in a folder by their names without the ending.

    Raises:
        ConfigError: the folder cannot be read.
    """
    found = {}
    for name in list_folder(folder).files:
        path = folder / name
        if name.endswith(librispeech.TRANSCRIPTS) or not name.lower().endswith(ENDINGS):
            continue
        if form_of(path, folder, columns):
            found[part_name(path)] = path
    return found


def manifest_of(folder: Path, columns: Columns) -> Path | None:
    """Return the manifest that a folder of recordings has: the only one, or the one that is called `PREFERRED`."""
    found = manifests_in(folder, columns)
    if len(found) == 1:
        return next(iter(found.values()))
    return found.get(PREFERRED)


def part_name(path: Path) -> str:
    """Return the name of the part that a manifest lists."""
    name = path.name
    for ending in (".gz", *ENDINGS):
        name = name[: -len(ending)] if name.lower().endswith(ending) else name
    return name if name != path.name else path.stem


def utterances(path: Path, data: Path, columns: Columns, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a manifest in its order; faulty rows are added to `problems`.

    Args:
        path: The manifest.
        data: The data folder, which replaces placeholders and to which relative paths refer.
        columns: The columns that the user names.
        problems: Collects the faults.

    Raises:
        ConfigError: the manifest is not in a known form, or lacks a column.
    """
    paths = AudioPaths.of_manifest(path, data)
    form = form_of(path, data, columns)
    if form == "list":
        yield from file_list.utterances(path, paths, problems)
    elif form == "json" or (form is None and _looks_like_json(path)):
        yield from json_lines.utterances(path, paths, columns, problems)
    else:
        yield from table.utterances(path, paths, columns, problems)


def _looks_like_json(path: Path) -> bool:
    try:
        return json_lines.is_json(read_text(path, most=HEAD))
    except ConfigError:
        return False
