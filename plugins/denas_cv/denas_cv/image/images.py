"""Images with labels, in memory or in files; readers of data sets return them."""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from denas_core import derive_rng
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


Label = int | tuple[int, ...]
"""The number of a class, or of each class where an image may have several."""

SKETCHED = 1024
"""Number of bytes of a file that are compared before whole files are."""


class ImageSize(NamedTuple):
    """The size of an image as it is seen, and whether it has no colours."""

    width: int
    height: int
    is_grey: bool


class ImageSource(ABC):
    """Images and the class number of each.

    Attributes:
        labels: Class of each image, an index into `Images.labels`; several in a tuple if `Images.multiple`.
    """

    labels: Sequence[Label]
    in_files: ClassVar[bool] = False
    """Whether each image is a file, which must be opened for `sketch` and `content`."""

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
    def size(self, index: int) -> ImageSize:
        """Return the size of an image without decoding it.

        Raises:
            ConfigError: a file cannot be read; the text names it.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Return the name of an image for the user."""

    @abstractmethod
    def content(self, index: int) -> bytes:
        """Return bytes that are equal for equal images.

        Raises:
            OSError: the file cannot be read.
        """

    def sketch(self, index: int) -> Hashable:
        """Return a part of `content` that is quick to read and differs for most images.

        Raises:
            OSError: the file cannot be read.
        """
        return hash(self.content(index))

    @abstractmethod
    def part(self, indices: Sequence[int], labels: Sequence[Label]) -> ImageSource:
        """Return some of the images with other labels."""


class ArraySource(ImageSource):
    """Images of equal size in memory."""

    def __init__(self, pixels: Tensor, labels: Sequence[Label]) -> None:
        """Create a source of uint8 pixels (images, channels, height, width)."""
        self._pixels = pixels
        self.labels = labels

    def image(self, index: int) -> Tensor:
        """Return a view of the pixels."""
        return self._pixels[index]

    def size(self, index: int) -> ImageSize:
        """Return the size, which all images share."""
        channels, height, width = self._pixels.shape[1:]
        return ImageSize(width, height, channels == 1)

    def name(self, index: int) -> str:
        """Return the number of the image."""
        return f"image {index}"

    def content(self, index: int) -> bytes:
        """Return the pixels as bytes."""
        return self._pixels[index].numpy().tobytes()

    def part(self, indices: Sequence[int], labels: Sequence[Label]) -> ArraySource:
        """Return some of the images; their pixels are copied."""
        import torch

        return ArraySource(self._pixels[torch.tensor(indices, dtype=torch.long)], labels)


class FileSource(ImageSource):
    """Images in files, which are decoded when they are requested."""

    in_files = True

    def __init__(self, paths: Sequence[str], labels: Sequence[Label]) -> None:
        """Create a source from the path of each image."""
        self.paths = paths
        self.labels = labels

    def image(self, index: int) -> Tensor:
        """Decode a file."""
        from .decoding import decode

        return decode(self.paths[index])

    def size(self, index: int) -> ImageSize:
        """Read the header of a file."""
        from .decoding import read_size

        return ImageSize(*read_size(self.paths[index]))

    def name(self, index: int) -> str:
        """Return the path."""
        return self.paths[index]

    def content(self, index: int) -> bytes:
        """Return the content of the file."""
        return Path(self.paths[index]).read_bytes()

    def sketch(self, index: int) -> Hashable:
        """Return the size and the end of the file, which differs more than its beginning."""
        with Path(self.paths[index]).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                raise OSError(f"{self.paths[index]!r} is empty")
            file.seek(max(size - SKETCHED, 0))
            return size, file.read()

    def part(self, indices: Sequence[int], labels: Sequence[Label]) -> FileSource:
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
        multiple: Whether an image may have several labels or none.
    """

    train: ImageSource | None
    valid: ImageSource | None
    labels: tuple[str, ...]
    kind: str
    notices: tuple[str, ...] = ()
    multiple: bool = False

    def label_name(self, label: Label) -> str:
        """Return the name of a label, or the names of several."""
        return (
            self.labels[label] if isinstance(label, int) else ", ".join(self.labels[each] for each in label)
        )


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
    by_class: dict[Label, list[int]] = {}
    for index, label in enumerate(images.train.labels):
        # Sets of labels are too many for a share of each.
        by_class.setdefault(0 if images.multiple else label, []).append(index)
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
    present = classes_of(images.train)
    if len(present) < 2 and not images.multiple:
        names = ", ".join(repr(images.labels[label]) for label in present)
        raise ConfigError(
            f"{str(path)!r} has training images of only the class {names or 'none'}; classification needs two classes"
        )
    if len(set(images.train.labels)) < 2:
        raise ConfigError(
            f"{str(path)!r} gives all training images the same labels, so nothing can be learnt"
        )
    for label in sorted(set(classes_of(images.valid) if images.valid else ()) - set(present)):
        raise ConfigError(
            f"{str(path)!r} has images of the class {images.labels[label]!r} for validation, but none for training"
        )


def classes_of(source: ImageSource) -> dict[int, int]:
    """Return the number of images of each class that occurs."""
    found: Counter[int] = Counter()
    for label in source.labels:
        found.update((label,) if isinstance(label, int) else label)
    return dict(sorted(found.items()))
