"""SpecAugment: bands and stretches of time that a network does not get to see (Park et al. 2019, arXiv:1904.08779)."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpecAugment:
    """How much is masked.

    Attributes:
        frequency_masks: Masks over neighbouring bands.
        frequency_width: Most bands of one.
        time_masks: Masks over neighbouring frames.
        time_width: Most frames of one.
        time_share: Most frames of one, by all; for short utterances, which four masks would cover.
    """

    frequency_masks: int = 4
    frequency_width: int = 15
    time_masks: int = 4
    time_width: int = 20
    time_share: float = 0.2

    def apply(self, features: Tensor, rng: random.Random) -> Tensor:
        """Return features with masks, which are filled with the mean of all; `features` are left as they are.

        Each mask has a width from 0 to the most there may be, and a place, both drawn evenly. They may overlap.

        Args:
            features: (frames, bands).
            rng: What widths and places are drawn from.
        """
        frames, bands = features.shape
        if not frames:
            return features
        masked, mean = features.clone(), features.mean()
        for _ in range(self.frequency_masks):
            start, width = _stretch(bands, self.frequency_width, rng)
            masked[:, start : start + width] = mean
        for _ in range(self.time_masks):
            start, width = _stretch(frames, min(self.time_width, int(self.time_share * frames)), rng)
            masked[start : start + width] = mean
        return masked


def _stretch(size: int, widest: int, rng: random.Random) -> tuple[int, int]:
    width = rng.randint(0, min(widest, size))
    return rng.randint(0, size - width), width
