"""Batches of features and symbols that no one has said."""

from __future__ import annotations

from denas_core.batch import Batch, BatchKind

FRAMES_PER_SECOND = 100
SYMBOLS_PER_SECOND = 3
"""About what LibriSpeech has of word pieces of a vocabulary of 5,000; ten times as many letters would be said."""

BLANK, BEGINNING, END = 0, 1, 2
"""The blank of CTC, which is the padding too, and the symbols around a transcript; others come after them."""
FIRST_SYMBOL = 3


def speech_batch(size: int, *, frames: int, mels: int, vocabulary: int, seed: int, kind: BatchKind) -> Batch:
    """Return features (samples, frames, mels) and tokens (samples, symbols), which begin with `BEGINNING`.

    Every position counts. ``noise`` has standard normal features and random symbols, ``ones`` features of one and the
    same symbol throughout a sample, another in each sample.
    """
    import torch

    seconds = frames / FRAMES_PER_SECOND
    symbols = 1 + max(1, round(seconds * SYMBOLS_PER_SECOND))
    shapes = (size, frames, mels), (size, symbols)
    if kind == "noise":
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(shapes[0], generator=generator)
        tokens = torch.randint(FIRST_SYMBOL, vocabulary, shapes[1], generator=generator)
    elif kind == "ones":
        features = torch.ones(shapes[0])
        symbol = FIRST_SYMBOL + torch.arange(size) % (vocabulary - FIRST_SYMBOL)
        tokens = symbol.unsqueeze(1).repeat(1, symbols)
    else:
        features = torch.empty(shapes[0], device="meta")
        tokens = torch.empty(shapes[1], dtype=torch.long, device="meta")
    tokens[:, 0] = BEGINNING
    return Batch(
        inputs={"features": features, "tokens": tokens},
        perturbable=("features",),
        units={"samples": float(size), "audio_seconds": size * seconds},
    )
