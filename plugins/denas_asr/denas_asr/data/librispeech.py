"""The layout of LibriSpeech: a folder for each speaker, with a folder of audio and transcripts for each chapter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from denas_core.errors import ConfigError

from .audio import EXTENSIONS
from .problems import Problems
from .utterance import Found

TRANSCRIPTS = ".trans.txt"
DEPTH = 2
"""Levels of folders between a part and its files: the speaker and the chapter."""


def is_part(folder: Path) -> bool:
    """Return whether `folder` has chapters with transcripts; only the first chapters of each speaker are checked."""
    return any(name.endswith(TRANSCRIPTS) for _, names in _chapters(folder) for name in names)


def utterances(folder: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a part, speaker by speaker; faults of transcripts are added to `problems`."""
    for chapter, names in _chapters(folder):
        audio = _audio(names)
        heard = set()
        for name in names:
            if name.endswith(TRANSCRIPTS):
                for id, text in _transcripts(chapter / name, problems):
                    heard.add(id)
                    if id in audio:
                        yield Found(id, chapter / audio[id], text, _speaker(chapter, folder, id))
                    else:
                        problems.add("transcript without audio", id)
        for id, name in audio.items():
            if id not in heard:
                problems.add("audio without transcript", str((chapter / name).relative_to(folder)))


def _chapters(folder: Path, depth: int = DEPTH) -> Iterator[tuple[Path, list[str]]]:
    """Yield folders with the names of their files, sorted because file systems give no fixed order."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")
            )
    except OSError as error:
        raise ConfigError(f"folder {str(folder)!r} cannot be read: {error.strerror}") from error
    yield folder, [name for name, is_folder in found if not is_folder]
    if depth:
        for name, is_folder in found:
            if is_folder:
                yield from _chapters(folder / name, depth - 1)


def _audio(names: list[str]) -> dict[str, str]:
    """Return the names of audio files by id; if an id has several, the first in the order of `EXTENSIONS` is taken."""
    files: dict[str, str] = {}
    for extension in reversed(EXTENSIONS):
        files |= {Path(name).stem: name for name in names if name.lower().endswith(extension)}
    return files


def _transcripts(path: Path, problems: Problems) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        problems.add("damaged transcript", f"{path.name} cannot be read: {error.strerror}")
        return
    for number, line in enumerate(lines, start=1):
        try:
            id, _, text = line.decode("utf-8").strip().partition(" ")
        except UnicodeDecodeError:
            problems.add("damaged transcript", f"line {number} of {path.name} is not UTF-8")
            continue
        if id:
            yield id, text


def _speaker(chapter: Path, part: Path, id: str) -> str:
    folders = chapter.relative_to(part).parts
    return folders[0] if folders else id.partition("-")[0]
