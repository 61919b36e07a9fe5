"""Images as samples of a task, with or without augmentation."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from denas_core import Split
from denas_core.errors import ConfigError

from .augmentation import Augmentation
from .decoding import UnreadableImage
from .form import InputForm, Normalisation
from .geometry import with_channels
from .images import ImageSource, Label

if TYPE_CHECKING:
    from torch import Tensor

READERS = 8
"""Number of threads that check images; decoding releases Python's global lock."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageSample:
    """One image and its class.

    Attributes:
        pixels: uint8 (channels, size, size).
        label: Number of the class, or the numbers of several.
        classes: Number of classes of the network.
        form: The input format of the network.
        normalisation: The normalisation of the data set.
    """

    pixels: Tensor
    label: Label
    classes: int
    form: InputForm
    normalisation: Normalisation


class ImageSplit(Split[ImageSample]):
    """Images of a source, converted to the input format of a network."""

    def __init__(
        self,
        source: ImageSource,
        form: InputForm,
        normalisation: Normalisation,
        augmentation: Augmentation | None = None,
        *,
        classes: int,
    ) -> None:
        """Create a split; images are augmented only if a random generator is given for a sample."""
        self._source = source
        self._form = form
        self._normalisation = normalisation
        self._augmentation = augmentation
        self._classes = classes

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._source)

    def name(self, index: int) -> str:
        """Return the name of an image for the user."""
        return self._source.name(index)

    def sample(self, index: int, rng: random.Random | None = None) -> ImageSample:
        """Return one image, augmented if `rng` is given.

        Raises:
            ConfigError: a file cannot be read; the text names it.
        """
        image = self._source.image(index)
        if rng is None or self._augmentation is None:
            pixels = self._form.view(image)
        else:
            pixels = self._augmentation.apply(with_channels(image, self._form.channels), rng)
        return ImageSample(
            pixels=pixels,
            label=self._source.labels[index],
            classes=self._classes,
            form=self._form,
            normalisation=self._normalisation,
        )


def readable(source: ImageSource, what: str) -> tuple[ImageSource, Sequence[str]]:
    """Decode every image; return the readable ones and a notice about the others.

    Raises:
        ConfigError: none can be read.
    """

    def fault(index: int) -> str:
        try:
            source.image(index)
        except UnreadableImage as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(READERS) as pool:
        faults = list(pool.map(fault, range(len(source))))
    kept = [index for index, reason in enumerate(faults) if not reason]
    bad = [reason.partition(";")[0] for reason in faults if reason]
    if not bad:
        return source, ()
    if not kept:
        raise ConfigError(f"none of the {len(bad)} {what} images can be read; the first: {bad[0]}")
    notice = f"{len(bad)} of {len(source)} {what} images cannot be read and are left out; the first: {bad[0]}"
    return source.part(kept, [source.labels[index] for index in kept]), (notice,)
