"""Recordings of words on disk, with tones instead of voices."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.asr.speech_files import write_audio


def write_words(folder: Path, words: Iterable[str], files: Iterable[str], *, seconds: float = 0.5) -> Path:
    """Write the same files for each word."""
    for word in words:
        for file in files:
            write_audio(folder / word / file, seconds)
    return folder
