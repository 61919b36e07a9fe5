"""Change the size and the channels of images: crops, resizing, grey to colour and back.

All functions take uint8 tensors (channels, height, width).
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Box = tuple[int, int, int, int]
"""Top, left, height and width."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey value (ITU-R BT.601)."""

ASPECTS = (3 / 4, 4 / 3)
"""Smallest and largest ratio of width to height of a random crop."""

TRIES = 10


def with_channels(image: Tensor, channels: int) -> Tensor:
    """Return the image with 1 or 3 channels."""
    if image.shape[0] == channels:
        return image
    if channels == 3:
        return image.expand(3, -1, -1)
    red, green, blue = (image[i].float() * weight for i, weight in enumerate(LUMA))
    return (red + green + blue).round().clamp(0, 255).byte()[None]


def resize(image: Tensor, size: int) -> Tensor:
    """Return the image resized to `size` x `size` pixels, with bilinear interpolation without aliasing."""
    from torch.nn import functional as F

    if image.shape[1:] == (size, size):
        return image
    return F.interpolate(image[None], size=(size, size), mode="bilinear", antialias=True)[0]


def crop_centre(image: Tensor, size: int, share: float) -> Tensor:
    """Return the central square of the image, resized to `size` x `size` pixels.

    Args:
        image: The image.
        size: Side of the result.
        share: Side of the square as a share of the image's shorter side, for images larger than `size`; for other
            images, the largest square is taken.
    """
    height, width = image.shape[1:]
    side = min(height, width)
    if side > size:
        side = max(round(side * share), 1)
    return resize(cut(image, ((height - side) // 2, (width - side) // 2, side, side)), size)


def cut(image: Tensor, box: Box) -> Tensor:
    """Return the part of an image in a box."""
    top, left, height, width = box
    return image[:, top : top + height, left : left + width]


def random_box(height: int, width: int, rng: random.Random, *, smallest: float) -> Box:
    """Return a box of random area, aspect ratio and position ("Inception crop", Szegedy et al. 2014, arXiv:1409.4842).

    Args:
        height: Height of the image.
        width: Width of the image.
        rng: Random generator.
        smallest: Smallest area as a share of the image's area.
    """
    low, high = (math.log(aspect) for aspect in ASPECTS)
    for _ in range(TRIES):
        area = height * width * rng.uniform(smallest, 1.0)
        aspect = math.exp(rng.uniform(low, high))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, height - h), rng.randint(0, width - w), h, w
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side, side


def shift(image: Tensor, down: int, right: int, fill: Tensor) -> Tensor:
    """Return the image moved by some pixels; the new border has the colour `fill`, (channels, 1, 1).

    A random crop of a padded image equals the image moved by random numbers of pixels.
    """
    height, width = image.shape[1:]
    moved = fill.expand(image.shape).clone()
    moved[:, max(down, 0) : height + down, max(right, 0) : width + right] = image[
        :, max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return moved
