"""Images with labels, in memory or in files; readers of data sets return them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core import derive_rng
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


class ImageSource(ABC):
    """Images and the class number of each.

    Attributes:
        labels: Class of each image, an index into `Images.labels`.
    """

    labels: Sequence[int]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @abstractmethod
    def image(self, index: int) -> Tensor:
        """Return pixels as uint8 (channels, height, width), with 1 or 3 channels.

        Raises:
            ConfigError: a file cannot be read; the text names it.
        """

    @abstractmethod
    def part(self, indices: Sequence[int], labels: Sequence[int]) -> ImageSource:
        """Return some of the images with other labels."""


class ArraySource(ImageSource):
    """Images of equal size in memory."""

    def __init__(self, pixels: Tensor, labels: Sequence[int]) -> None:
        """Create a source of uint8 pixels (images, channels, height, width)."""
        self._pixels = pixels
        self.labels = labels

    def image(self, index: int) -> Tensor:
        """Return a view of the pixels."""
        return self._pixels[index]

    def part(self, indices: Sequence[int], labels: Sequence[int]) -> ArraySource:
        """Return some of the images; their pixels are copied."""
        import torch

        return ArraySource(self._pixels[torch.tensor(indices, dtype=torch.long)], labels)


class FileSource(ImageSource):
    """Images in files, which are decoded when they are requested."""

    def __init__(self, paths: Sequence[str], labels: Sequence[int]) -> None:
        """Create a source from the path of each image."""
        self.paths = paths
        self.labels = labels

    def image(self, index: int) -> Tensor:
        """Decode a file."""
        from .decoding import decode

        return decode(self.paths[index])

    def part(self, indices: Sequence[int], labels: Sequence[int]) -> FileSource:
        """Return some of the images."""
        return FileSource([self.paths[index] for index in indices], labels)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """A data set.

    Attributes:
        train: Training images; None if the data set has none.
        valid: Validation images; None if the data set has none.
        labels: Names of the classes.
        kind: The format.
        notices: Notices for the user.
    """

    train: ImageSource | None
    valid: ImageSource | None
    labels: tuple[str, ...]
    kind: str
    notices: tuple[str, ...] = ()


def check_labels(labels: Sequence[int], count: int, path: Path | str) -> None:
    """Check that every label is the number of a class.

    Raises:
        ConfigError: a label is out of range; the text names the file and the image.
    """
    for index, label in enumerate(labels):
        if not 0 <= label < count:
            raise ConfigError(
                f"{str(path)!r} gives image {index} the label {label}, but there are {count} classes, "
                "from 0; download the data set again"
            )


def held_out(images: Images, share: float) -> Images:
    """Return the data set; if it has no validation images, some training images of each class become them.

    The choice depends only on the order of the images and on `share`, so that an evaluation uses the same images.

    Raises:
        ConfigError: no class has enough images.
    """
    if images.valid is not None or images.train is None:
        return images
    by_class: dict[int, list[int]] = {}
    for index, label in enumerate(images.train.labels):
        by_class.setdefault(label, []).append(index)
    aside: set[int] = set()
    for label, indices in by_class.items():
        count = min(max(round(share * len(indices)), 1), len(indices) - 1)
        aside |= set(derive_rng(0, "held-out images", label).sample(indices, count))
    if not aside:
        raise ConfigError("every class has only one image, so none can be used for validation; add images")
    source = images.train
    kept = [index for index in range(len(source)) if index not in aside]
    chosen = sorted(aside)
    return dataclasses.replace(
        images,
        train=source.part(kept, [source.labels[index] for index in kept]),
        valid=source.part(chosen, [source.labels[index] for index in chosen]),
        notices=(
            *images.notices,
            f"the data has no validation part: {len(chosen)} of its {len(source)} images, always the same ones, are "
            "used for validation (option valid_share)",
        ),
    )


def check_classes(images: Images, path: Path) -> None:
    """Check that there are training images of two classes or more, and of every class with validation images.

    Raises:
        ConfigError: a class is missing; the text names it.
    """
    if images.train is None:
        return
    present = set(images.train.labels)
    if len(present) < 2:
        names = ", ".join(repr(images.labels[label]) for label in present)
        raise ConfigError(
            f"{str(path)!r} has training images of only the class {names or 'none'}; classification needs two classes"
        )
    for label in set(images.valid.labels if images.valid else ()) - present:
        raise ConfigError(
            f"{str(path)!r} has images of the class {images.labels[label]!r} for validation, but none for training"
        )
