"""Artificial batches of features and symbols for scores and cost."""

from __future__ import annotations

from math import ceil

from denas_core import Batch, BatchKind, OpenDimension

FRAMES_PER_SECOND = 100
SYMBOLS_PER_SECOND = 3
"""Symbols for each second, about as many as LibriSpeech has with a vocabulary of 5,000 word pieces."""

FEWEST_FRAMES = 5
"""Smallest number of frames; it gives two encoded frames, because torch.export treats a size of one as a constant."""

FRAMES_PER_ENCODED = 4
"""Number of input frames for each encoded frame, from the front-end's two strides of 2."""

BLANK, BEGINNING, END = 0, 1, 2
"""The blank of CTC, which is also the padding, and the symbols before and after a transcript; others follow them."""
FIRST_SYMBOL = 3


def speech_batch(size: int, *, frames: int, mels: int, seed: int, kind: BatchKind) -> Batch:
    """Return features (samples, frames, mels) and tokens (samples, symbols) that begin with `BEGINNING`.

    The batch has no padding. The kind ``noise`` has standard normal features and random symbols; the kind ``ones`` has
    features of 1 and the same symbol everywhere. No symbol is above `FIRST_SYMBOL`, because a trained network may have
    fewer symbols than its space.
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
