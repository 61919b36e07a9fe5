"""CTC by its definition: every alignment of a few frames, one by one."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

BLANK, FIRST = 0, 3

Text = tuple[int, ...]


def random_log_probs(frames: int, symbols: int, *, seed: int, sharpness: float = 2.0) -> Tensor:
    """Return float64 (frames, symbols + 3), normalised; `symbols` are the real ones."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(frames, symbols + FIRST, generator=generator, dtype=torch.float64)
    return logits.log_softmax(-1)


def text_of(alignment: Iterable[int]) -> Text:
    """Return what an alignment says: repeats are one symbol, then blanks go."""
    return tuple(symbol for symbol, _ in itertools.groupby(alignment) if symbol != BLANK)


def text_probabilities(log_probs: Tensor) -> dict[Text, float]:
    """Return the probability of every text, summed over its alignments.

    Alignments with the beginning or the end of a text in them are none.
    """
    frames, symbols = log_probs.shape
    rows = log_probs.exp().tolist()
    found: dict[Text, float] = defaultdict(float)
    for alignment in itertools.product([BLANK, *range(FIRST, symbols)], repeat=frames):
        found[text_of(alignment)] += math.prod(
            row[symbol] for row, symbol in zip(rows, alignment, strict=True)
        )
    return found


def prefix_probability(texts: dict[Text, float], prefix: Text) -> float:
    """Return the probability of all texts that begin with `prefix`."""
    return sum(p for text, p in texts.items() if text[: len(prefix)] == prefix)


def all_texts(symbols: int, longest: int) -> list[Text]:
    """Return all texts of `symbols` real symbols, up to a length."""
    real = range(FIRST, FIRST + symbols)
    return [text for length in range(longest + 1) for text in itertools.product(real, repeat=length)]
