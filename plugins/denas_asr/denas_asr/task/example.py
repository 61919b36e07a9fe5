"""A small data set for trying out speech recognition, in which every letter is a tone."""

from __future__ import annotations

import random
from pathlib import Path

RATE = 16_000
LETTER_SECONDS = 0.12
LETTERS = "ADENRST"
SILENCE = " "
WORDS = ("ADD", "AND", "ART", "DEN", "EAR", "END", "NEAR", "RED", "SAND", "STAR", "TEN", "TREE")
PARTS = {"train-example": 6, "dev-example": 3}
"""Number of utterances in each part."""


def write_example(folder: Path) -> Path:
    """Write two parts in the layout of LibriSpeech, and return their folder."""
    rng = random.Random(0)
    for speaker, (part, count) in enumerate(PARTS.items(), start=1):
        chapter = folder / part / str(speaker) / "1"
        chapter.mkdir(parents=True)
        lines = []
        for number in range(count):
            id, text = f"{speaker}-1-{number:04}", " ".join(rng.sample(WORDS, 2))
            _write(chapter / f"{id}.wav", text, rng)
            lines.append(f"{id} {text}\n")
        (chapter / f"{speaker}-1.trans.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def _write(path: Path, text: str, rng: random.Random) -> None:
    import numpy
    import soundfile  # type: ignore[import-untyped]

    noise = numpy.random.Generator(numpy.random.PCG64(rng.getrandbits(64)))
    times = numpy.arange(round(LETTER_SECONDS * RATE)) / RATE
    tones = [
        0 * times if letter == SILENCE else 0.3 * numpy.sin(2 * numpy.pi * _hertz(letter) * times)
        for letter in text
    ]
    wave = numpy.concatenate(tones)
    soundfile.write(path, wave + 0.001 * noise.standard_normal(len(wave)), RATE, subtype="PCM_16")


def _hertz(letter: str) -> float:
    return float(300 * 1.4 ** LETTERS.index(letter))
