"""Read MNIST and similar data sets: idx files, compressed or not (LeCun, Cortes and Burges)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from denas_core.errors import ConfigError

from .images import ArraySource, Images

if TYPE_CHECKING:
    from torch import Tensor

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
"""Magic numbers for unsigned bytes in three dimensions and in one dimension."""

KIND = "mnist-idx"
LOOKS_LIKE = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., each also as .gz"
PARTS = ("train", "t10k")
CHUNK = 1 << 24

Part = tuple["Tensor", list[int], Path]
"""Pixels (images, 1, height, width), labels, and the file of the labels."""


def is_in(folder: Path) -> bool:
    """Return whether `folder` contains idx files of images."""
    return any(_find(folder, part, "images", 3) for part in PARTS)


def open_idx(folder: Path) -> Images:
    """Read the whole data set into memory; the names of its classes are their numbers.

    Raises:
        ConfigError: a file is missing or damaged; the text names it.
    """
    train, valid = (_read_part(folder, part) for part in PARTS)
    if train is None:
        # If there is only a test set, training images are taken from it.
        train, valid = valid, None
    if train is None:
        raise ConfigError(f"{str(folder)!r} holds no idx files of images")
    # In some data sets the class numbers do not start at 0.
    classes = {number: index for index, number in enumerate(sorted(set(train[1])))}
    return Images(
        train=_source(train, classes),
        valid=None if valid is None else _source(valid, classes),
        labels=tuple(map(str, classes)),
        kind=KIND,
    )


def _source(part: Part, classes: dict[int, int]) -> ArraySource:
    pixels, numbers, path = part
    for index, number in enumerate(numbers):
        if number not in classes:
            raise ConfigError(
                f"{str(path)!r} gives image {index} the label {number}, which no training image has; the labels are "
                f"{', '.join(map(str, classes))}"
            )
    return ArraySource(pixels, [classes[number] for number in numbers])


def _read_part(folder: Path, part: str) -> Part | None:
    images, labels = _find(folder, part, "images", 3), _find(folder, part, "labels", 1)
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        lacking = f"{part}-images-idx3-ubyte" if images is None else f"{part}-labels-idx1-ubyte"
        raise ConfigError(f"{str(folder)!r} lacks {lacking!r} (or {lacking + '.gz'!r})")
    pixels = read_idx(images, IMAGES_MAGIC, 3)
    numbers = read_idx(labels, LABELS_MAGIC, 1)
    if len(pixels) != len(numbers):
        raise ConfigError(
            f"{str(images)!r} holds {len(pixels)} images, but {str(labels)!r} {len(numbers)} labels: they do not "
            "belong together"
        )
    return pixels[:, None], numbers.tolist(), labels


def _find(folder: Path, part: str, what: str, dimensions: int) -> Path | None:
    for separator in "-.":
        for suffix in ("", ".gz"):
            path = folder / f"{part}-{what}{separator}idx{dimensions}-ubyte{suffix}"
            if path.is_file():
                return path
    return None


def read_idx(path: Path, magic: int, dimensions: int) -> Tensor:
    """Return the bytes of an idx file as a uint8 tensor.

    Raises:
        ConfigError: the file is of another kind, is empty, or its length differs from its header.
    """
    import torch

    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 * (1 + dimensions))
            if len(header) < 4 * (1 + dimensions):
                raise ConfigError(
                    f"{str(path)!r} has {len(header)} bytes and is not an idx file; download it again"
                )
            found, *shape = struct.unpack(f">{1 + dimensions}I", header)
            if found != magic:
                raise ConfigError(
                    f"{str(path)!r} begins with the number {found}, where idx files of its kind have {magic}; "
                    "download it again"
                )
            expected = math.prod(shape)
            # One extra byte is enough to notice that a file is longer than its header says.
            content = _read(file, expected + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConfigError(f"{str(path)!r} is damaged: {error}; download it again") from error
    if len(content) != expected or not expected:
        size = " x ".join(map(str, shape))
        more = "more" if len(content) > expected else str(len(content))
        raise ConfigError(f"{str(path)!r} should hold {size} bytes, but has {more}; download it again")
    return torch.frombuffer(content, dtype=torch.uint8).reshape(shape)


def _read(file: IO[bytes] | gzip.GzipFile, most: int) -> bytearray:
    # The file is read in pieces because a damaged header may state a size larger than memory.
    content = bytearray()
    while len(content) < most and (part := file.read(min(CHUNK, most - len(content)))):
        content += part
    return content
