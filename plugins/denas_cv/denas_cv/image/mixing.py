"""Mix the images of a batch by mixup or CutMix; a mixed image has two labels with shares."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def mix_images(
    pixels: Tensor, rng: random.Random, *, mixup: float, cutmix: float
) -> tuple[Tensor, list[int], float]:
    """Return mixed images, the partner of each image, and the share of the image itself in the mixture.

    If both mixup and CutMix are on, one of them is drawn with probability 1/2 for each batch. The loss of a mixed image
    is share * CE(own label) + (1 - share) * CE(partner's label), which is the cross entropy with soft targets.

    Args:
        pixels: Floating-point images (samples, channels, height, width); they are not changed.
        rng: Random generator.
        mixup: Parameter of the symmetric Beta distribution of mixup (Zhang et al. 2017, arXiv:1710.09412); 0 is off.
        cutmix: The same parameter for CutMix (Yun et al. 2019, arXiv:1905.04899); 0 is off.
    """
    partners = list(range(len(pixels)))
    rng.shuffle(partners)
    others = pixels[partners]
    if mixup and (not cutmix or rng.random() < 0.5):
        share = rng.betavariate(mixup, mixup)
        return pixels * share + others * (1 - share), partners, share
    height, width = pixels.shape[2:]
    side = math.sqrt(1 - rng.betavariate(cutmix, cutmix))
    top, bottom = _range(height, side, rng)
    left, right = _range(width, side, rng)
    pasted = pixels.clone()
    pasted[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    # Part of the rectangle may be outside the image, so the share is computed from the pasted area.
    return pasted, partners, 1 - (bottom - top) * (right - left) / (height * width)


def _range(length: int, side: float, rng: random.Random) -> tuple[int, int]:
    centre, half = rng.randrange(length), round(length * side) // 2
    return max(centre - half, 0), min(centre + half, length)
