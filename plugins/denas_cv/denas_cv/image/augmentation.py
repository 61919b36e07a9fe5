"""What is done to one training image: crop, flip, RandAugment and random erasing."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import TYPE_CHECKING, Literal

from .geometry import centred, cut, random_box, resized, shifted
from .rand_augment import rand_augment

if TYPE_CHECKING:
    from torch import Tensor

PADDING = 8
"""A padded image is larger by its size divided by this on each side: 4 pixels at 32, as is customary for CIFAR."""

ERASED = (0.02, 0.33)
"""Least and largest area of what is erased, by that of the image (arXiv:1708.04896)."""

ERASED_ASPECT = 0.3
"""Smallest height by width of what is erased; the largest is its inverse."""

TRIES = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How training images are changed.

    Attributes:
        size: Side of the result in pixels.
        crop: ``pad``: a random square of the padded image; ``resized``: a random part, resized; ``none``: the centre.
        smallest_crop: Least area of a ``resized`` crop, by that of the image.
        flip: Whether every second image is mirrored.
        operations: Changes of RandAugment.
        magnitude: Their strength, from 0 to 10.
        erasing: Share of images of which a rectangle is erased.
        fill: Colour of what lies outside the image, uint8 by channel.
        centre_crop: See `centred`.
    """

    size: int
    crop: Literal["pad", "resized", "none"]
    smallest_crop: float
    flip: bool
    operations: int
    magnitude: float
    erasing: float
    fill: tuple[int, ...]
    centre_crop: float

    def apply(self, image: Tensor, rng: random.Random) -> Tensor:
        """Return a changed image, uint8 (channels, size, size); `image` is left as it is."""
        import torch

        fill = torch.tensor(self.fill, dtype=torch.uint8).view(-1, 1, 1)
        image = self._cropped(image, rng, fill)
        if self.flip and rng.random() < 0.5:
            image = image.flip(-1)
        if self.operations:
            image = rand_augment(image, rng, operations=self.operations, magnitude=self.magnitude, fill=fill)
        if self.erasing and rng.random() < self.erasing:
            image = erased(image, rng)
        return image

    def _cropped(self, image: Tensor, rng: random.Random, fill: Tensor) -> Tensor:
        if self.crop == "resized":
            box = random_box(image.shape[1], image.shape[2], rng, smallest=self.smallest_crop)
            return resized(cut(image, box), self.size)
        image = centred(image, self.size, self.centre_crop)
        if self.crop == "none":
            return image
        padding = max(self.size // PADDING, 1)
        return shifted(image, rng.randint(-padding, padding), rng.randint(-padding, padding), fill)


def erased(image: Tensor, rng: random.Random) -> Tensor:
    """Return the image with a rectangle of noise in it (Zhong et al. 2017, arXiv:1708.04896, algorithm 1)."""
    import torch

    channels, height, width = image.shape
    low, high = math.log(ERASED_ASPECT), -math.log(ERASED_ASPECT)
    for _ in range(TRIES):
        area = height * width * rng.uniform(*ERASED)
        aspect = math.exp(rng.uniform(low, high))
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < h < height and 0 < w < width:
            noise = torch.frombuffer(bytearray(rng.randbytes(channels * h * w)), dtype=torch.uint8)
            top, left = rng.randint(0, height - h), rng.randint(0, width - w)
            # A copy: the image may be a view of the data set.
            image = image.clone()
            cut(image, (top, left, h, w)).copy_(noise.view(channels, h, w))
            return image
    return image
