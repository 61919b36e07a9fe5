"""Data folders of Kaldi: ``wav.scp`` and ``text``, perhaps with ``segments`` and ``utt2spk``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.problems import Problems, shown
from denas_asr.data.text_file import read_lines
from denas_asr.data.utterance import Found

from .columns import ascii_if_needed

NAME = "a data folder of Kaldi"
AUDIO, TEXT, SEGMENTS, SPEAKERS = "wav.scp", "text", "segments", "utt2spk"

_IN_ARCHIVE = re.compile(r"\.ark:\d+$")


def is_part(folder: Path) -> bool:
    """Return whether a folder has the two files that Kaldi needs."""
    return (folder / AUDIO).is_file() and (folder / TEXT).is_file()


def utterances(folder: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances in the order of ``text``. Commands in ``wav.scp`` are not run.

    Raises:
        ConfigError: a file cannot be read.
    """
    # Kaldi's scripts run above the folder `data`, and paths begin there.
    paths = AudioPaths([folder, *folder.absolute().parents[:3]])
    recordings = _recordings(folder, paths, problems)
    segments = _segments(folder, problems) if (folder / SEGMENTS).is_file() else None
    speakers = dict(_pairs(folder, SPEAKERS, problems)) if (folder / SPEAKERS).is_file() else {}
    heard = set()
    for id, text in _pairs(folder, TEXT, problems):
        recording, start, end = (id, 0.0, None) if segments is None else segments.get(id, (None, 0.0, None))
        if recording is None or recording not in recordings:
            problems.add("transcript without audio", shown(id))
            continue
        heard.add(recording)
        audio = recordings[recording]
        if audio is not None:
            yield Found(id, audio, text, speakers.get(id, ""), start, end)
    for id in recordings:
        if id not in heard:
            problems.add("audio without transcript", shown(id))


def _recordings(folder: Path, paths: AudioPaths, problems: Problems) -> dict[str, Path | None]:
    """Return the audio file of each recording; None if it cannot be read, which is added to `problems`."""
    found: dict[str, Path | None] = {}
    for id, written in _pairs(folder, AUDIO, problems):
        found[id] = None
        if written.endswith("|") or written.startswith("|"):
            problems.add(
                "command instead of audio",
                f"{shown(id)}: {ascii_if_needed(written[:80])} is not run; write its output to a file",
            )
        elif _IN_ARCHIVE.search(written):
            problems.add(
                "missing audio", f"{shown(id)}: {ascii_if_needed(written)} is in an archive of Kaldi"
            )
        elif (audio := paths.find(written)) is None:
            problems.add("missing audio", f"{shown(id)}: {ascii_if_needed(written)}")
        else:
            found[id] = audio
    return found


def _segments(folder: Path, problems: Problems) -> dict[str, tuple[str, float, float | None]]:
    """Return the recording of each utterance, and where it begins and ends there."""
    found: dict[str, tuple[str, float, float | None]] = {}
    for id, rest in _pairs(folder, SEGMENTS, problems):
        try:
            recording, begin, stop = rest.split()[:3]
            start, end = float(begin), float(stop)
            # Kaldi writes -1 for the end of a recording.
            if not 0 <= start < (float("inf") if end == -1 else end):
                raise ValueError
        except ValueError:
            problems.add("impossible segment", f"{shown(id)}: {ascii_if_needed(rest)}")
            continue
        found[id] = recording, start, None if end == -1 else end
    return found


def _pairs(folder: Path, name: str, problems: Problems) -> Iterator[tuple[str, str]]:
    """Yield the first word of each line, and the rest of the line."""
    for _, line in read_lines(folder / name, problems):
        id, *rest = line.split(None, 1) or [""]
        if id:
            yield id, rest[0].strip() if rest else ""
