"""Count how often a data set has each token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from denas_hf.modality import TARGET

if TYPE_CHECKING:
    from denas_core import ScoringData

SAMPLES = 20_000
"""Most samples that are counted; of more samples, so many are drawn."""

SEED = 2
INPUTS = ("input_ids", "decoder_input_ids", TARGET)


def count_tokens(data: ScoringData | None) -> dict[int, int]:
    """Return how often each token is in the samples for training; without data, nothing.

    Raises:
        ConfigError: the data are damaged or empty.
    """
    if data is None:
        return {}
    batch, _ = data.draw(min(SAMPLES, len(data)), seed=SEED)
    tokens = [batch.inputs[name].flatten() for name in INPUTS if name in batch.inputs]
    if not tokens:
        return {}
    numbers, counts = torch.unique(torch.cat(tokens), return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))
