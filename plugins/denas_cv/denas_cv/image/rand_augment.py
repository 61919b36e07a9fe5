"""RandAugment: a few random operations with the same strength (Cubuk et al. 2019, arXiv:1909.13719).

The fourteen operations are those in the paper's table. Each takes a uint8 image (channels, height, width), a strength
from 0 to 1 and a random generator, and returns a new image.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from .geometry import LUMA

if TYPE_CHECKING:
    from torch import Tensor

Change = Callable[["Tensor", float, random.Random, "Tensor"], "Tensor"]
"""A function of the image, the strength, a random generator and the colour of new borders."""

LARGEST_ANGLE = 30.0
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 0.45
"""Largest shift as a share of the image's width: 150 of the 331 pixels in AutoAugment (arXiv:1805.09501)."""
LARGEST_ENHANCEMENT = 0.9
POSTERIZED_BITS = 4
SCALE = 10
"""The magnitude that stands for full strength."""


def rand_augment(
    image: Tensor, rng: random.Random, *, operations: int, magnitude: float, fill: Tensor
) -> Tensor:
    """Return the image after some operations, which are drawn with repetition.

    Args:
        image: uint8 (channels, height, width).
        rng: Random generator.
        operations: Number of operations.
        magnitude: Strength from 0 to 10.
        fill: Colour of new borders, uint8 (channels, 1, 1).
    """
    for change in rng.choices(CHANGES, k=operations):
        image = change(image, magnitude / SCALE, rng, fill)
    return image


def identity(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Return the image unchanged."""
    return image


def auto_contrast(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Stretch the values of each channel to the range from black to white."""
    pixels = image.float()
    low, high = pixels.amin((1, 2), keepdim=True), pixels.amax((1, 2), keepdim=True)
    stretched = (pixels - low) * (255.0 / (high - low).clamp(min=1.0))
    return stretched.where(high > low, pixels).round().byte()


def equalize(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Equalise the histogram of each channel."""
    import torch

    channels = []
    for channel in image:
        counts = torch.bincount(channel.flatten(), minlength=256)
        # As in Pillow, pixels of the brightest value are not counted for the step.
        last = int(counts.nonzero()[-1])
        step = (channel.numel() - int(counts[last])) // 255
        if step == 0:
            channels.append(channel)
            continue
        below = torch.cumsum(counts, 0) - counts
        table = ((below + step // 2) // step).clamp(max=255).byte()
        channels.append(table[channel.int()])
    return torch.stack(channels)


def solarize(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Invert the pixels that are brighter than a threshold."""
    # A wider type is needed because 256 does not fit into 8 bits.
    return image.where(image.int() < 256 - round(256 * strength), 255 - image)


def posterize(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Set the lower bits of the pixels to zero."""
    return image & (0xFF << round(POSTERIZED_BITS * strength) & 0xFF)


def brightness(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Make the image darker or brighter."""
    return _blend(image, image.new_zeros(()).float(), strength, rng)


def contrast(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels away from or towards the mean grey."""
    return _blend(image, _grey(image).mean().round(), strength, rng)


def saturation(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels away from or towards their own grey value."""
    return _blend(image, _grey(image), strength, rng)


def sharpness(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels away from or towards the smoothed image; the border does not change."""
    from torch.nn import functional as F

    if min(image.shape[1:]) < 3:
        return image
    pixels = image.float()
    smooth = pixels.clone()
    # The smoothing kernel has 3 x 3 weights of 1, except for 5 in the middle.
    smooth[:, 1:-1, 1:-1] = (F.avg_pool2d(pixels, 3, stride=1) * 9 + pixels[:, 1:-1, 1:-1] * 4) / 13
    return _blend(image, smooth, strength, rng)


def rotate(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Rotate the image about its centre."""
    angle = math.radians(_signed(LARGEST_ANGLE * strength, rng))
    cosine, sine = math.cos(angle), math.sin(angle)
    return _affine(image, ((cosine, -sine, 0.0), (sine, cosine, 0.0)), fill)


def shear_x(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Shear the image horizontally."""
    return _affine(image, ((1.0, _signed(LARGEST_SHEAR * strength, rng), 0.0), (0.0, 1.0, 0.0)), fill)


def shear_y(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Shear the image vertically."""
    return _affine(image, ((1.0, 0.0, 0.0), (_signed(LARGEST_SHEAR * strength, rng), 1.0, 0.0)), fill)


def translate_x(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the image horizontally."""
    # Coordinates run from -1 to 1, so the whole width is 2.
    return _affine(image, ((1.0, 0.0, _signed(2 * LARGEST_SHIFT * strength, rng)), (0.0, 1.0, 0.0)), fill)


def translate_y(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the image vertically."""
    return _affine(image, ((1.0, 0.0, 0.0), (0.0, 1.0, _signed(2 * LARGEST_SHIFT * strength, rng))), fill)


CHANGES: tuple[Change, ...] = (
    identity,
    auto_contrast,
    equalize,
    rotate,
    solarize,
    saturation,
    posterize,
    contrast,
    brightness,
    sharpness,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
)


def _signed(value: float, rng: random.Random) -> float:
    return value if rng.random() < 0.5 else -value


def _grey(image: Tensor) -> Tensor:
    import torch

    if len(image) == 1:
        return image.float()
    weights = torch.tensor(LUMA).view(3, 1, 1)
    return (image.float() * weights).sum(0, keepdim=True).round()


def _blend(image: Tensor, other: Tensor, strength: float, rng: random.Random) -> Tensor:
    factor = 1.0 + _signed(LARGEST_ENHANCEMENT * strength, rng)
    return (other + (image.float() - other) * factor).round().clamp(0, 255).byte()


def _affine(image: Tensor, matrix: tuple[tuple[float, ...], ...], fill: Tensor) -> Tensor:
    import torch
    from torch.nn import functional as F

    # grid_sample fills borders with zeros; the fill colour is subtracted before and added after it.
    below = fill.float()
    height, width = image.shape[1:]
    (a, b, c), (d, e, f) = matrix
    # Rotation must be computed in pixels, because coordinates relative to sides of different length would distort it.
    theta = torch.tensor([[[a, b * height / width, c], [d * width / height, e, f]]])
    grid = F.affine_grid(theta, [1, *image.shape], align_corners=False)
    moved = F.grid_sample((image.float() - below)[None], grid, mode="bilinear", align_corners=False)[0]
    return (moved + below).round().clamp(0, 255).byte()
