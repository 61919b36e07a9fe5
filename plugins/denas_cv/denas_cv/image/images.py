"""What a reader of data sets returns: images with labels, in memory or in files."""

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
    """Images and the number of the class of each.

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
            ConfigError: naming the file that cannot be read.
        """

    @abstractmethod
    def part(self, indices: Sequence[int], labels: Sequence[int]) -> ImageSource:
        """Return some of the images, under other labels."""


class ArraySource(ImageSource):
    """Images of one size in memory."""

    def __init__(self, pixels: Tensor, labels: Sequence[int]) -> None:
        """Take uint8 pixels (images, channels, height, width)."""
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
    """Images in files, decoded when they are asked for."""

    def __init__(self, paths: Sequence[str], labels: Sequence[int]) -> None:
        """Take the path of each image."""
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
    """A data set as a reader found it.

    Attributes:
        train: What to learn from; None where the data set has no such part.
        valid: What to measure on; None where the data set has no such part.
        labels: Names of the classes.
        kind: The format.
        notices: What the user should know.
    """

    train: ImageSource | None
    valid: ImageSource | None
    labels: tuple[str, ...]
    kind: str
    notices: tuple[str, ...] = ()


def check_labels(labels: Sequence[int], count: int, path: Path | str) -> None:
    """Refuse labels that name no class.

    Raises:
        ConfigError: naming the file and the first such image.
    """
    for index, label in enumerate(labels):
        if not 0 <= label < count:
            raise ConfigError(
                f"{str(path)!r} gives image {index} the label {label}, but there are {count} classes, "
                "from 0; fetch the data set again"
            )


def held_out(images: Images, share: float) -> Images:
    """Return the data set with some training images of each class set aside to measure on, if it has none for that.

    Which ones depends on the order of the images and on `share` alone, so that an evaluation finds the same ones.

    Raises:
        ConfigError: there is nothing to set aside.
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
        raise ConfigError("every class has a single image: there is none to measure on; add images")
    source = images.train
    kept = [index for index in range(len(source)) if index not in aside]
    chosen = sorted(aside)
    return dataclasses.replace(
        images,
        train=source.part(kept, [source.labels[index] for index in kept]),
        valid=source.part(chosen, [source.labels[index] for index in chosen]),
        notices=(
            *images.notices,
            f"the data has no part to measure on: {len(chosen)} of its {len(source)} images, the same ones each time, "
            "are set aside for that (option valid_share)",
        ),
    )


def check_classes(images: Images, path: Path) -> None:
    """Refuse training images of fewer than two classes, or of fewer classes than the others have.

    Raises:
        ConfigError: naming the class.
    """
    if images.train is None:
        return
    present = set(images.train.labels)
    if len(present) < 2:
        names = ", ".join(repr(images.labels[label]) for label in present)
        raise ConfigError(
            f"{str(path)!r} has training images of the class {names or 'none'} alone; classification needs two classes"
        )
    for label in set(images.valid.labels if images.valid else ()) - present:
        raise ConfigError(
            f"{str(path)!r} has images of the class {images.labels[label]!r} to measure on, but none to learn from"
        )
