"""Batches of features and symbols that no one has said."""

from __future__ import annotations

from math import ceil

from denas_core import Batch, BatchKind, OpenDimension

FRAMES_PER_SECOND = 100
SYMBOLS_PER_SECOND = 3
"""About what LibriSpeech has of word pieces of a vocabulary of 5,000; ten times as many letters would be said."""

FEWEST_FRAMES = 5
"""Frames of which two are encoded: torch.export takes a size of one for a constant."""

FRAMES_PER_ENCODED = 4
"""What the front-end's two strides of 2 make one of."""

BLANK, BEGINNING, END = 0, 1, 2
"""The blank of CTC, which is the padding too, and the symbols around a transcript; others come after them."""
FIRST_SYMBOL = 3


def speech_batch(size: int, *, frames: int, mels: int, seed: int, kind: BatchKind) -> Batch:
    """Return features (samples, frames, mels) and tokens (samples, symbols), which begin with `BEGINNING`.

    Every position counts. ``noise`` has standard normal features and symbols at random, ``ones`` features of one and
    the same symbol throughout. None is above `FIRST_SYMBOL`: a trained network may have fewer symbols than its space.
    """
    import torch

    seconds = frames / FRAMES_PER_SECOND
    shapes = (size, frames, mels), (size, 1 + max(1, round(seconds * SYMBOLS_PER_SECOND)))
    if kind == "noise":
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(shapes[0], generator=generator)
        tokens = torch.randint(BEGINNING, FIRST_SYMBOL + 1, shapes[1], generator=generator)
    elif kind == "ones":
        features, tokens = torch.ones(shapes[0]), torch.full(shapes[1], FIRST_SYMBOL)
    else:
        features = torch.empty(shapes[0], device="meta")
        tokens = torch.empty(shapes[1], dtype=torch.long, device="meta")
    tokens[:, 0] = BEGINNING
    return Batch(
        inputs={"features": features, "tokens": tokens},
        perturbable=("features",),
        positions=ceil(frames / FRAMES_PER_ENCODED),
        units={"samples": float(size), "audio_seconds": size * seconds},
        open={
            "features": {1: OpenDimension("frames", at_least=FEWEST_FRAMES)},
            "tokens": {1: OpenDimension("symbols")},
        },
    )
