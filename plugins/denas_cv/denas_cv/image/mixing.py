"""Mixing the images of a batch: mixup and CutMix, with the two labels of each and their shares."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def mixed(
    pixels: Tensor, rng: random.Random, *, mixup: float, cutmix: float
) -> tuple[Tensor, list[int], float]:
    """Return images mixed with each other, the partner of each, and the share that is its own.

    Where both kinds are on, either is taken for every second batch. A mixture of labels is soft targets:
    share * CE(own) + (1 - share) * CE(partner's) is their cross entropy.

    Args:
        pixels: Floating-point images (samples, channels, height, width), left as they are.
        rng: Numbers.
        mixup: Parameter of the symmetric Beta distribution of mixup (Zhang et al. 2017, arXiv:1710.09412); 0 is off.
        cutmix: That of CutMix (Yun et al. 2019, arXiv:1905.04899); 0 is off.
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
    # The rectangle may stick out: what counts is what was pasted.
    return pasted, partners, 1 - (bottom - top) * (right - left) / (height * width)


def _range(length: int, side: float, rng: random.Random) -> tuple[int, int]:
    centre, half = rng.randrange(length), round(length * side) // 2
    return max(centre - half, 0), min(centre + half, length)
