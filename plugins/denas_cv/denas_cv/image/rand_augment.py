"""RandAugment: a few random changes of one common strength (Cubuk et al. 2019, arXiv:1909.13719).

The fourteen changes are those of the paper's table; each takes a uint8 image (channels, height, width), a strength
from 0 to 1 and random numbers, and returns another image.
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
"""Image, strength, random numbers and the colour of what comes in at the borders."""

LARGEST_ANGLE = 30.0
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 0.45
"""Share of the image's width: 150 of the 331 pixels of AutoAugment, arXiv:1805.09501."""
LARGEST_ENHANCEMENT = 0.9
POSTERIZED_BITS = 4
SCALE = 10
"""The magnitude of the paper that means full strength."""


def rand_augment(
    image: Tensor, rng: random.Random, *, operations: int, magnitude: float, fill: Tensor
) -> Tensor:
    """Return the image after some changes, drawn with repetition.

    Args:
        image: uint8 (channels, height, width).
        rng: Numbers.
        operations: How many changes.
        magnitude: From 0 to 10.
        fill: Colour of what comes in at the borders, uint8 (channels, 1, 1).
    """
    for change in rng.choices(CHANGES, k=operations):
        image = change(image, magnitude / SCALE, rng, fill)
    return image


def identity(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Change nothing."""
    return image


def auto_contrast(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Stretch each channel from black to white."""
    pixels = image.float()
    low, high = pixels.amin((1, 2), keepdim=True), pixels.amax((1, 2), keepdim=True)
    stretched = (pixels - low) * (255.0 / (high - low).clamp(min=1.0))
    return stretched.where(high > low, pixels).round().byte()


def equalize(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Spread the values of each channel so that all are about as frequent."""
    import torch

    channels = []
    for channel in image:
        counts = torch.bincount(channel.flatten(), minlength=256)
        # As Pillow has it: what the brightest value holds does not count for the step.
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
    """Invert what is brighter than a threshold."""
    # As a wider type: 256 does not fit into 8 bits.
    return image.where(image.int() < 256 - round(256 * strength), 255 - image)


def posterize(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Drop the lower bits."""
    return image & (0xFF << round(POSTERIZED_BITS * strength) & 0xFF)


def brightness(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Make the image darker or brighter."""
    return _blended(image, image.new_zeros(()).float(), strength, rng)


def contrast(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels from or towards the mean grey."""
    return _blended(image, _grey(image).mean().round(), strength, rng)


def saturation(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels from or towards their own grey."""
    return _blended(image, _grey(image), strength, rng)


def sharpness(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the pixels from or towards those of the smoothed image; the border stays."""
    from torch.nn import functional as F

    if min(image.shape[1:]) < 3:
        return image
    pixels = image.float()
    smooth = pixels.clone()
    # Nine pixels of weight 1, and the middle one of weight 5.
    smooth[:, 1:-1, 1:-1] = (F.avg_pool2d(pixels, 3, stride=1) * 9 + pixels[:, 1:-1, 1:-1] * 4) / 13
    return _blended(image, smooth, strength, rng)


def rotate(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Turn the image about its centre."""
    angle = math.radians(_signed(LARGEST_ANGLE * strength, rng))
    cosine, sine = math.cos(angle), math.sin(angle)
    return _affine(image, ((cosine, -sine, 0.0), (sine, cosine, 0.0)), fill)


def shear_x(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Slant the image sideways."""
    return _affine(image, ((1.0, _signed(LARGEST_SHEAR * strength, rng), 0.0), (0.0, 1.0, 0.0)), fill)


def shear_y(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Slant the image upwards or downwards."""
    return _affine(image, ((1.0, 0.0, 0.0), (_signed(LARGEST_SHEAR * strength, rng), 1.0, 0.0)), fill)


def translate_x(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the image sideways."""
    # Coordinates run from -1 to 1: the whole width is 2.
    return _affine(image, ((1.0, 0.0, _signed(2 * LARGEST_SHIFT * strength, rng)), (0.0, 1.0, 0.0)), fill)


def translate_y(image: Tensor, strength: float, rng: random.Random, fill: Tensor) -> Tensor:
    """Move the image upwards or downwards."""
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


def _blended(image: Tensor, other: Tensor, strength: float, rng: random.Random) -> Tensor:
    factor = 1.0 + _signed(LARGEST_ENHANCEMENT * strength, rng)
    return (other + (image.float() - other) * factor).round().clamp(0, 255).byte()


def _affine(image: Tensor, matrix: tuple[tuple[float, ...], ...], fill: Tensor) -> Tensor:
    import torch
    from torch.nn import functional as F

    # Zeros come in at the borders; with the fill taken off, they are the fill.
    below = fill.float()
    height, width = image.shape[1:]
    (a, b, c), (d, e, f) = matrix
    # Rotation is in pixels, not in shares of sides that may differ.
    theta = torch.tensor([[[a, b * height / width, c], [d * width / height, e, f]]])
    grid = F.affine_grid(theta, [1, *image.shape], align_corners=False)
    moved = F.grid_sample((image.float() - below)[None], grid, mode="bilinear", align_corners=False)[0]
    return (moved + below).round().clamp(0, 255).byte()
