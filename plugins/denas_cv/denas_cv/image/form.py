"""What a network wants to see: size, channels and normalisation of its images."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from denas_core import derive_rng

from .geometry import centred, with_channels
from .images import ImageSource

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import SearchSpace

LARGE = 96
"""Pixels from which images are taken for photographs and not for thumbnails."""

CENTRE_CROP = 0.875
"""Share of the shorter side of a photograph that is measured on: 224 of 256 pixels, as is customary for ImageNet."""

MEASURED = 1000
"""Images that the normalisation is measured on, at most."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """What a network wants to see.

    Attributes:
        name: Name of the input, as `SearchSpace.forward` uses it.
        channels: 1 or 3.
        size: Side of the square in pixels.
        centre_crop: See `centred`.
    """

    name: str
    channels: int
    size: int
    centre_crop: float

    def view(self, image: Tensor) -> Tensor:
        """Return an image without augmentation, uint8 (channels, size, size)."""
        return centred(with_channels(image, self.channels), self.size, self.centre_crop)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Mean and standard deviation by channel, of pixels from 0 to 1.

    Attributes:
        mean: Means.
        std: Standard deviations.
        in_colour: Whether any of the images that they were measured on is coloured.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    in_colour: bool


def form_of(space: SearchSpace) -> InputForm | str:
    """Return what networks of `space` want to see, or why it is no image."""
    try:
        inputs = space.batch(1, seed=0, kind="cost").inputs
    except NotImplementedError:
        return "it has no batches"
    if len(inputs) != 1:
        return f"its networks take {len(inputs)} inputs, not one"
    [(name, tensor)] = inputs.items()
    if not tensor.is_floating_point() or tensor.dim() != 4:
        return f"its input {name!r} is {tensor.dtype} of shape {tuple(tensor.shape)}, not an image"
    _, channels, height, width = tensor.shape
    if channels not in (1, 3):
        return f"its images have {channels} channels, neither 1 nor 3"
    if height != width:
        return f"its images are {height} x {width} pixels, not square"
    crop = CENTRE_CROP if height >= LARGE else 1.0
    return InputForm(name=name, channels=channels, size=height, centre_crop=crop)


def measured(source: ImageSource, form: InputForm) -> Normalisation:
    """Return the normalisation of images as a network would see them, of at most `MEASURED` of them.

    Raises:
        ConfigError: naming the file that cannot be read.
    """
    import torch

    chosen = derive_rng(0, "measured images").sample(range(len(source)), min(len(source), MEASURED))
    totals = torch.zeros(2, form.channels, dtype=torch.float64)
    in_colour = False
    for index in chosen:
        image = source.image(index)
        # A grey image may be stored as three equal channels.
        in_colour = in_colour or (len(image) == 3 and not torch.equal(image[0], image[1]))
        pixels = form.view(image).double() / 255
        totals += torch.stack([pixels.mean((1, 2)), pixels.square().mean((1, 2))])
    mean, square = totals / len(chosen)
    # Images of one colour have no spread: a step of 8 bits stands for it.
    std = (square - mean.square()).clamp(min=0).sqrt().clamp(min=1 / 255)
    return Normalisation(
        mean=tuple(round(value, 5) for value in mean.tolist()),
        std=tuple(round(value, 5) for value in std.tolist()),
        in_colour=in_colour,
    )
