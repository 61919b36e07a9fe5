"""A small data set for trying out keyword spotting, in which every word is a melody of two tones."""

from __future__ import annotations

import random
from pathlib import Path

RATE = 16_000
SECONDS = 0.8
WORDS = {"down": (600, 300), "high": (900, 900), "up": (300, 600)}
"""Frequencies in Hz of the two halves of a word."""

PARTS = {"train": 4, "valid": 2}
"""Number of recordings of each word by part."""


def write_example(folder: Path) -> Path:
    """Write folders of recordings, one for each word, in two parts; return their folder."""
    rng = random.Random(0)
    for part, count in PARTS.items():
        for word, tones in WORDS.items():
            (folder / part / word).mkdir(parents=True)
            for number in range(count):
                _write(folder / part / word / f"{number}.wav", tones, rng)
    return folder


def _write(path: Path, tones: tuple[int, int], rng: random.Random) -> None:
    import numpy
    import soundfile  # type: ignore[import-untyped]

    noise = numpy.random.Generator(numpy.random.PCG64(rng.getrandbits(64)))
    times = numpy.arange(round(SECONDS / 2 * RATE)) / RATE
    pitch = rng.uniform(0.9, 1.1)
    wave = numpy.concatenate([0.3 * numpy.sin(2 * numpy.pi * pitch * tone * times) for tone in tones])
    soundfile.write(path, wave + 0.001 * noise.standard_normal(len(wave)), RATE, subtype="PCM_16")
