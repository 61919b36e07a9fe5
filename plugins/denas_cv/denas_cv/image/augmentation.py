"""Augmentation of one training image: crop, flip, RandAugment and random erasing."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import TYPE_CHECKING, Literal

from .geometry import crop_centre, cut, random_box, resize, shift
from .rand_augment import rand_augment

if TYPE_CHECKING:
    from torch import Tensor

PADDING = 8
"""The padding on each side is the image size divided by this: 4 pixels at 32, as is usual for CIFAR."""

ERASED = (0.02, 0.33)
"""Smallest and largest erased area, as a share of the image's area (arXiv:1708.04896)."""

ERASED_ASPECT = 0.3
"""Smallest ratio of height to width of the erased rectangle; the largest is its inverse."""

TRIES = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Settings of the random changes of training images.

    Attributes:
        size: Side of the result in pixels.
        crop: ``pad``: a random square of the padded image; ``resize``: a random part, resized; ``none``: the centre.
        smallest_crop: Smallest area of a ``resize`` crop, as a share of the image's area.
        flip: Whether an image is mirrored with probability 1/2.
        operations: Number of RandAugment operations.
        magnitude: Their strength, from 0 to 10.
        erasing: Probability that a rectangle of an image is erased.
        fill: Colour outside of the image, uint8 by channel.
        centre_crop: See `crop_centre`.
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
        """Return a changed copy of the image, uint8 (channels, size, size)."""
        import torch

        fill = torch.tensor(self.fill, dtype=torch.uint8).view(-1, 1, 1)
        image = self._crop(image, rng, fill)
        if self.flip and rng.random() < 0.5:
            image = image.flip(-1)
        if self.operations:
            image = rand_augment(image, rng, operations=self.operations, magnitude=self.magnitude, fill=fill)
        if self.erasing and rng.random() < self.erasing:
            image = erase_rectangle(image, rng)
        return image

    def _crop(self, image: Tensor, rng: random.Random, fill: Tensor) -> Tensor:
        if self.crop == "resized":
            box = random_box(image.shape[1], image.shape[2], rng, smallest=self.smallest_crop)
            return resize(cut(image, box), self.size)
        image = crop_centre(image, self.size, self.centre_crop)
        if self.crop == "none":
            return image
        padding = max(self.size // PADDING, 1)
        return shift(image, rng.randint(-padding, padding), rng.randint(-padding, padding), fill)


def erase_rectangle(image: Tensor, rng: random.Random) -> Tensor:
    """Return the image with a rectangle replaced by noise (Zhong et al. 2017, arXiv:1708.04896, algorithm 1)."""
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
            # The image is copied because it may be a view of the data set.
            image = image.clone()
            cut(image, (top, left, h, w)).copy_(noise.view(channels, h, w))
            return image
    return image
