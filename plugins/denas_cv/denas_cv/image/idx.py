"""Read MNIST and similar data sets: idx files, compressed or not (LeCun, Cortes and Burges)."""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from denas_core import is_hidden
from denas_core.errors import ConfigError

from .images import ArraySource, Images

if TYPE_CHECKING:
    from torch import Tensor

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
"""Magic numbers for unsigned bytes in three dimensions and in one dimension."""

GZIP_MAGIC = b"\x1f\x8b"

KIND = "mnist-idx"
LOOKS_LIKE = (
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... (or NAME-train-images-..., as EMNIST), each "
    "also as .gz"
)
TRAIN = "train"
CHUNK = 1 << 24

_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?", re.ASCII
)

Files = dict[str, dict[str, Path]]
"""Files by part (``train`` or ``test``) and by what they hold (``images`` or ``labels``)."""

Part = tuple["Tensor", list[int], Path]
"""Pixels (images, 1, height, width), labels, and the file of the labels."""


def sets_in(folder: Path) -> list[str]:
    """Return the names of the sets of idx files in `folder`: empty text for MNIST, ``emnist-letters-`` for EMNIST."""
    return sorted(
        prefix
        for prefix, parts in _files_in(folder).items()
        if any("images" in each for each in parts.values())
    )


def open_idx(folder: Path, prefix: str = "") -> Images:
    """Read a whole data set into memory.

    The names of its classes are their numbers, or the characters that the mapping of EMNIST gives to them. Images of
    EMNIST are stored on their side, and are turned upright.

    Args:
        folder: The folder of the files.
        prefix: What the names of the files begin with.

    Raises:
        ConfigError: a file is missing or damaged; the text names it.
    """
    parts = _files_in(folder)[prefix]
    train, valid = (_read_part(folder, prefix, part, parts.get(part)) for part in ("train", "test"))
    if train is None:
        # If there is only a test set, training images are taken from it.
        train, valid = valid, None
    if train is None:
        raise ConfigError(f"{str(folder)!r} holds no idx files of images")
    # In some data sets the class numbers do not start at 0.
    classes = {number: index for index, number in enumerate(sorted(set(train[1])))}
    names = _mapping(folder / f"{prefix}mapping.txt")
    is_emnist = prefix.lower().startswith("emnist")
    return Images(
        train=_source(train, classes, is_turned=is_emnist),
        valid=None if valid is None else _source(valid, classes, is_turned=is_emnist),
        labels=tuple(names.get(number, str(number)) for number in classes),
        kind=KIND,
    )


def _source(part: Part, classes: dict[int, int], *, is_turned: bool) -> ArraySource:
    pixels, numbers, path = part
    for index, number in enumerate(numbers):
        if number not in classes:
            raise ConfigError(
                f"{str(path)!r} gives image {index} the label {number}, which no training image has; the labels are "
                f"{', '.join(map(str, classes))}"
            )
    if is_turned:
        pixels = pixels.transpose(2, 3).contiguous()
    return ArraySource(pixels, [classes[number] for number in numbers])


def _mapping(path: Path) -> dict[int, str]:
    """Return the characters of each label of EMNIST, such as ``Aa``; empty without the file."""
    if not path.is_file():
        return {}
    names = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        numbers = line.split()
        if not numbers:
            continue
        if len(numbers) < 2 or not all(number.isascii() and number.isdigit() for number in numbers):
            raise ConfigError(
                f"{str(path)!r} has the line {line!r}, which is not a label with codes of characters"
            )
        names[int(numbers[0])] = "".join(chr(min(int(code), 0xFFFF)) for code in numbers[1:])
    return names


def _read_part(folder: Path, prefix: str, part: str, files: dict[str, Path] | None) -> Part | None:
    if files is None:
        return None
    images, labels = files.get("images"), files.get("labels")
    if images is None or labels is None:
        name = part if part == "train" or prefix else "t10k"
        lacking = (
            f"{prefix}{name}-images-idx3-ubyte" if images is None else f"{prefix}{name}-labels-idx1-ubyte"
        )
        raise ConfigError(f"{str(folder)!r} lacks {lacking!r} (or {lacking + '.gz'!r})")
    pixels = read_idx(images, IMAGES_MAGIC, 3)
    numbers = read_idx(labels, LABELS_MAGIC, 1)
    if len(pixels) != len(numbers):
        raise ConfigError(
            f"{str(images)!r} holds {len(pixels)} images, but {str(labels)!r} {len(numbers)} labels: they do not "
            "belong together"
        )
    return pixels[:, None], numbers.tolist(), labels


def _files_in(folder: Path) -> dict[str, Files]:
    """Return the idx files of a folder by the beginning of their names."""
    found: dict[str, Files] = {}
    if not folder.is_dir():
        return found
    # Uncompressed files are preferred: their names are shorter and so come first.
    for name in sorted(entry.name for entry in os.scandir(folder) if entry.is_file()):
        match = _NAME.fullmatch(name)
        if match is None or is_hidden(name):
            continue
        part = "train" if match["part"] == TRAIN else "test"
        found.setdefault(match["prefix"], {}).setdefault(part, {}).setdefault(match["what"], folder / name)
    return found


def read_idx(path: Path, magic: int, dimensions: int) -> Tensor:
    """Return the bytes of an idx file as a uint8 tensor.

    Raises:
        ConfigError: the file is of another kind, is empty, or its length differs from its header.
    """
    import torch

    try:
        with path.open("rb") as start:
            # The content decides, because files are renamed when they are unpacked or downloaded.
            is_compressed = start.read(2) == GZIP_MAGIC
        with gzip.open(path) if is_compressed else path.open("rb") as file:
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
