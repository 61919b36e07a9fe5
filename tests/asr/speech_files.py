"""Little speech data on disk, with tones instead of voices."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy
import pytest
import soundfile

REAL = (
    Path(os.environ.get("DENAS_TEST_DATA", Path(__file__).parents[3] / "shared/datasets"))
    / "librispeech/LibriSpeech"
)

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="no LibriSpeech in DENAS_TEST_DATA")

FORMATS = {
    ".oga": {"format": "OGG"},
    ".opus": {"format": "OGG", "subtype": "OPUS"},
    ".aif": {"format": "AIFF"},
    ".aifc": {"format": "AIFF", "subtype": "PCM_24"},
    ".sph": {"format": "NIST", "subtype": "PCM_16"},
    ".nist": {"format": "NIST", "subtype": "PCM_16"},
    ".snd": {"format": "AU", "subtype": "PCM_16"},
}
"""What soundfile does not see in the name."""

TEXTS = {
    "84-121-0000": "GO DO YOU HEAR",
    "84-121-0001": "BUT IN LESS THAN FIVE MINUTES",
    "84-122-0000": "AT THIS MOMENT THE WHOLE SOUL",
    "174-50-0000": "HE'S GONE",
}


def tone(seconds: float, *, rate: int = 16000, hz: float = 440.0, channels: int = 1) -> numpy.ndarray:
    """Return (samples, channels) of a tone, silent in all channels but the first."""
    wave = 0.5 * numpy.sin(2 * math.pi * hz * numpy.arange(round(seconds * rate)) / rate)
    return numpy.stack([wave, *(0 * wave for _ in range(channels - 1))], 1)


def write_audio(path: Path, seconds: float = 0.5, *, rate: int = 16000, channels: int = 1) -> Path:
    """Write a tone in the format that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, rate=rate, channels=channels), rate, **FORMATS.get(path.suffix, {}))
    return path


def write_librispeech(
    part: Path, texts: Mapping[str, str] = TEXTS, *, seconds: float = 0.5, suffix: str = ".flac"
) -> Path:
    """Write utterances in the layout of LibriSpeech; transcripts lack the last end of line, as some there do."""
    lines: dict[Path, list[str]] = {}
    for id, text in texts.items():
        speaker, chapter, _ = id.split("-")
        folder = part / speaker / chapter
        write_audio(folder / f"{id}{suffix}", seconds)
        lines.setdefault(folder / f"{speaker}-{chapter}.trans.txt", []).append(f"{id} {text}".rstrip())
    for path, each in lines.items():
        path.write_text("\n".join(each))
    return part


def cut(path: Path, share: float = 0.5) -> Path:
    """Cut a file off."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def scratch(path: Path) -> Path:
    """Change 64 bytes in the middle of a file."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0x5A for byte in content[middle : middle + 64])
    path.write_bytes(content)
    return path
