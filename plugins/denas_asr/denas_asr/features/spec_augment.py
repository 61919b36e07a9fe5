"""SpecAugment: hide some mel bands and some frames from a network in training (Park et al. 2019, arXiv:1904.08779)."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpecAugment:
    """Numbers and sizes of the masks.

    Attributes:
        frequency_masks: Number of masks over neighbouring bands.
        frequency_width: Greatest number of bands in a mask.
        time_masks: Number of masks over neighbouring frames.
        time_width: Greatest number of frames in a mask.
        time_share: Greatest share of an utterance's frames in one mask, so that masks do not cover a short utterance.
    """

    frequency_masks: int = 4
    frequency_width: int = 15
    time_masks: int = 4
    time_width: int = 20
    time_share: float = 0.2

    def apply(self, features: Tensor, rng: random.Random) -> Tensor:
        """Return a copy of the features with masks, which are filled with the mean of all features.

        The width of each mask, from 0 to the greatest width, and its position are drawn uniformly. Masks may overlap.

        Args:
            features: (frames, bands).
            rng: Random generator that draws widths and positions.
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
