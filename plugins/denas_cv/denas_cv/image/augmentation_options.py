"""The options of an image task that say how training images are changed."""

from __future__ import annotations

import dataclasses
from typing import Literal

from denas_core import option

from .augmentation import Augmentation
from .form import LARGE, InputForm, Normalisation


@dataclasses.dataclass(kw_only=True)
class AugmentationOptions:
    """How training images are changed."""

    crop: Literal["auto", "pad", "resized", "none"] = option(
        "auto",
        "pad: a random square of the padded image; resized: a random part, resized; auto: pad below 96 pixels",
    )
    smallest_crop: float = option(
        0.25, "Smallest area of a resized crop, as a share of the image's area", above=0.0, at_most=1.0
    )
    flip: Literal["auto", "random", "none"] = option(
        "auto",
        "Mirror half of the images; auto: only coloured ones, since mirrored digits are wrong",
    )
    rand_augment: int = option(0, "Number of random operations on each image (RandAugment)", at_least=0)
    magnitude: float = option(9.0, "Strength of these operations", at_least=0.0, at_most=10.0)
    erasing: float = option(
        0.0, "Share of images in which a rectangle becomes noise", at_least=0.0, at_most=1.0
    )
    mixup: float = option(0.0, "Beta parameter of mixup, which blends two images; 0 is off", at_least=0.0)
    cutmix: float = option(
        0.0, "Beta parameter of CutMix, which pastes part of another image; 0 is off", at_least=0.0
    )

    def augmentation(self, form: InputForm, normalisation: Normalisation) -> Augmentation:
        """Return the augmentation of images of a data set for networks with this input format."""
        crop = self.crop
        if crop == "auto":
            crop = "resized" if form.size >= LARGE else "pad"
        return Augmentation(
            size=form.size,
            crop=crop,
            smallest_crop=self.smallest_crop,
            flip=normalisation.in_colour if self.flip == "auto" else self.flip == "random",
            operations=self.rand_augment,
            magnitude=self.magnitude,
            erasing=self.erasing,
            fill=normalisation.background(),
            centre_crop=form.centre_crop,
        )
