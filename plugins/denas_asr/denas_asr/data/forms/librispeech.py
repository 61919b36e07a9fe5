"""The layout of LibriSpeech: a folder for each speaker, with a folder of audio and transcripts for each chapter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_asr.data.listing import walk
from denas_asr.data.problems import Problems, shown
from denas_asr.data.text_file import read_lines
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

NAME = "folders as those of LibriSpeech"
TRANSCRIPTS = ".trans.txt"
DEPTH = 2
"""Levels of folders between a part and its files: the speaker and the chapter."""


def is_part(folder: Path) -> bool:
    """Return whether `folder` has chapters with transcripts; only the first chapters of each speaker are checked."""
    return any(name.endswith(TRANSCRIPTS) for listing in walk(folder, depth=DEPTH) for name in listing.files)


def utterances(folder: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances of a part, speaker by speaker; faults of transcripts are added to `problems`."""
    for chapter, names, _, _ in walk(folder, depth=DEPTH, problems=problems):
        audio = _audio(names)
        heard = set()
        for name in names:
            if name.endswith(TRANSCRIPTS):
                for id, text in _transcripts(chapter / name, problems):
                    heard.add(id)
                    if id in audio:
                        yield Found(id, chapter / audio[id], text, _speaker(chapter, folder, id))
                    else:
                        problems.add("transcript without audio", shown(id))
        for id, name in audio.items():
            if id not in heard:
                problems.add("audio without transcript", shown(str((chapter / name).relative_to(folder))))


def _audio(names: list[str]) -> dict[str, str]:
    """Return the names of audio files by id; if an id has several, the first in the order of `EXTENSIONS` is taken."""
    files: dict[str, str] = {}
    for extension in reversed(EXTENSIONS):
        files |= {_id(Path(name).stem): name for name in names if name.lower().endswith(extension)}
    return files


def _transcripts(path: Path, problems: Problems) -> Iterator[tuple[str, str]]:
    try:
        lines = read_lines(path, problems)
    except ConfigError as error:
        reason = str(error).removeprefix(repr(str(path))).strip()
        problems.add("damaged transcript", f"{path.name} {reason}")
        return
    for _, line in lines:
        id, *text = line.split(None, 1) or [""]
        if id:
            yield _id(id), text[0].strip() if text else ""


def _id(name: str) -> str:
    """Return an id in the form in which those of files and of transcripts are equal."""
    return unicodedata.normalize("NFC", name)


def _speaker(chapter: Path, part: Path, id: str) -> str:
    folders = chapter.relative_to(part).parts
    return folders[0] if folders else id.partition("-")[0]
