"""The input format of a network: size, channels and normalisation of its images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core import ImageInput, derive_rng

from .geometry import crop_centre, with_channels
from .images import ImageSource

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import SearchSpace

LARGE = 96
"""Image size from which images are treated as photographs, not as thumbnails."""

CENTRE_CROP = 0.875
"""Share of a photograph's shorter side that is kept for evaluation: 224 of 256 pixels, as is usual for ImageNet."""

MEASURED = 1000
"""Greatest number of images used to measure the normalisation."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """The input format of a network.

    Attributes:
        name: Name of the input in `SearchSpace.forward`.
        channels: 1 or 3.
        size: Side of the square in pixels.
        centre_crop: See `crop_centre`.
    """

    name: str
    channels: int
    size: int
    centre_crop: float

    def view(self, image: Tensor) -> Tensor:
        """Return an image in this format without augmentation, uint8 (channels, size, size)."""
        return crop_centre(with_channels(image, self.channels), self.size, self.centre_crop)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Mean and standard deviation of each channel, for pixels from 0 to 1.

    Attributes:
        mean: Means.
        std: Standard deviations.
        in_colour: Whether any of the measured images has colours.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    in_colour: bool

    def background(self) -> tuple[int, ...]:
        """Return the colour of what is outside of an image, from 0 to 255.

        The background of digits is black. Coloured images have no common background, so their mean is used, which
        normalisation maps to 0.
        """
        return tuple(round(255 * mean) if self.in_colour else 0 for mean in self.mean)


def form_of(space: SearchSpace) -> InputForm | str:
    """Return the input format of networks of `space`, or the reason why their input is not an image."""
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


def normalisation_of(form: InputForm, facts: Mapping[str, Any]) -> Normalisation:
    """Return the normalisation with which a network was trained."""
    return Normalisation(mean=tuple(facts["mean"]), std=tuple(facts["std"]), in_colour=form.channels == 3)


def image_input(form: InputForm, facts: Mapping[str, Any], *, has_sets: bool) -> ImageInput | None:
    """Return how `InputForm.view` and the normalisation make the input of an image; None if `facts` do not say it."""
    if "centre_crop" not in facts:
        return None
    return ImageInput(
        input=form.name,
        channels=form.channels,
        size=form.size,
        centre_crop=float(facts["centre_crop"]),
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        activation="sigmoid" if has_sets else "softmax",
    )


def measure_normalisation(source: ImageSource, form: InputForm) -> Normalisation:
    """Return the normalisation of images in a network's format, measured on at most `MEASURED` of them.

    Raises:
        ConfigError: a file cannot be read; the text names it.
    """
    import torch

    chosen = derive_rng(0, "measured images").sample(range(len(source)), min(len(source), MEASURED))
    totals = torch.zeros(2, form.channels, dtype=torch.float64)
    in_colour = False
    for index in chosen:
        image = source.image(index)
        # A grey image may be stored with three equal channels.
        in_colour = in_colour or (len(image) == 3 and not torch.equal(image[0], image[1]))
        pixels = form.view(image).double() / 255
        totals += torch.stack([pixels.mean((1, 2)), pixels.square().mean((1, 2))])
    mean, square = totals / len(chosen)
    # Images of a single colour have a standard deviation of 0; the smallest difference of 8-bit pixels replaces it.
    std = (square - mean.square()).clamp(min=0).sqrt().clamp(min=1 / 255)
    return Normalisation(
        mean=tuple(round(value, 5) for value in mean.tolist()),
        std=tuple(round(value, 5) for value in std.tolist()),
        in_colour=in_colour,
    )
