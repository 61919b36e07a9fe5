"""Read CIFAR-10 and CIFAR-100, as batches for Python or as binary batches (Krizhevsky 2009)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError

from .images import ArraySource, Images, check_labels
from .pickled import PickledArray, as_text, read_pickle

if TYPE_CHECKING:
    from torch import Tensor

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32

Batch = tuple["Tensor", list[int]]
"""Pixels (images, 3, 32, 32) and labels of one file."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The file names of one variant of CIFAR, and the functions that read its files.

    Attributes:
        kind: The format.
        train: Files of training images.
        valid: The file of test images.
        names: The file that names the classes.
        read: Reads a file of images.
        read_names: Reads the names of the classes.
    """

    kind: str
    train: tuple[str, ...]
    valid: str
    names: str
    read: Callable[[Path], Batch]
    read_names: Callable[[Path], list[str]]

    def is_in(self, folder: Path) -> bool:
        """Return whether `folder` holds this variant, complete or not."""
        return any((folder / name).is_file() for name in (*self.train, self.valid))

    def looks_like(self) -> str:
        """Return the file names that are searched for."""
        return ", ".join((*self.train, self.valid, self.names))

    def open(self, folder: Path) -> Images:
        """Read the whole data set into memory.

        Raises:
            ConfigError: a file is missing or damaged; the text names it.
        """
        if not (folder / self.names).is_file():
            raise ConfigError(
                f"{str(folder)!r} lacks {self.names!r}, which names the classes; copy it from the data set"
            )
        labels = self.read_names(folder / self.names)
        if len(set(labels)) != len(labels) or not labels:
            raise ConfigError(
                f"{str(folder / self.names)!r} has no class names, or one of them twice; download it again"
            )
        present = [name for name in self.train if (folder / name).is_file()]
        missing = [name for name in self.train if name not in present]
        has_test = (folder / self.valid).is_file()
        return Images(
            train=self._source(folder, present, len(labels)) if present else None,
            valid=self._source(folder, [self.valid], len(labels)) if has_test else None,
            labels=tuple(labels),
            kind=self.kind,
            notices=(f"{str(folder)!r} lacks {', '.join(missing)}",) if missing and present else (),
        )

    def _source(self, folder: Path, names: Sequence[str], classes: int) -> ArraySource:
        import torch

        parts = []
        labels: list[int] = []
        for name in names:
            pixels, found = self.read(folder / name)
            check_labels(found, classes, folder / name)
            parts.append(pixels)
            labels += found
        return ArraySource(torch.cat(parts), labels)


def _python_batch(key: str) -> Callable[[Path], Batch]:
    def read(path: Path) -> Batch:
        content = read_pickle(path)
        data, labels = content.get("data"), content.get(key)
        if not isinstance(data, PickledArray) or not isinstance(labels, list):
            raise ConfigError(f"{str(path)!r} is not a batch of CIFAR: it lacks 'data' or {key!r}")
        try:
            pixels = data.tensor()
            numbers = [int(label) for label in labels]
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{str(path)!r} is damaged: {error}; download it again") from error
        if pixels.dim() != 2 or pixels.shape[1] != PIXELS or len(numbers) != len(pixels):
            raise ConfigError(
                f"{str(path)!r} is damaged: {len(numbers)} labels for data of shape {tuple(pixels.shape)}, where "
                f"({len(numbers)}, {PIXELS}) is expected; download it again"
            )
        return pixels.reshape(-1, *SHAPE), numbers

    return read


def _python_names(key: str) -> Callable[[Path], list[str]]:
    def read(path: Path) -> list[str]:
        names = read_pickle(path).get(key)
        if not isinstance(names, list):
            raise ConfigError(f"{str(path)!r} lacks {key!r}, the names of the classes; download it again")
        try:
            return [as_text(name) for name in names]
        except ValueError as error:
            raise ConfigError(f"{str(path)!r} is damaged: {error}; download it again") from error

    return read


def _binary_batch(labels_each: int) -> Callable[[Path], Batch]:
    def read(path: Path) -> Batch:
        import torch

        content = bytearray(path.read_bytes())
        record = labels_each + PIXELS
        if not content or len(content) % record:
            raise ConfigError(
                f"{str(path)!r} has {len(content)} bytes, which is not a multiple of the {record} of an image: it is "
                "cut off or has another format; download it again"
            )
        rows = torch.frombuffer(content, dtype=torch.uint8).reshape(-1, record)
        # CIFAR-100 has two labels for each image; the second one is the fine label.
        labels: list[int] = rows[:, labels_each - 1].tolist()
        return rows[:, labels_each:].reshape(-1, *SHAPE), labels

    return read


def _text_names(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split()


_FIVE = tuple(f"data_batch_{number}" for number in range(1, 6))

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        kind="cifar10-python",
        train=_FIVE,
        valid="test_batch",
        names="batches.meta",
        read=_python_batch("labels"),
        read_names=_python_names("label_names"),
    ),
    Layout(
        kind="cifar100-python",
        train=("train",),
        valid="test",
        names="meta",
        read=_python_batch("fine_labels"),
        read_names=_python_names("fine_label_names"),
    ),
    Layout(
        kind="cifar10-binary",
        train=tuple(f"{name}.bin" for name in _FIVE),
        valid="test_batch.bin",
        names="batches.meta.txt",
        read=_binary_batch(1),
        read_names=_text_names,
    ),
    Layout(
        kind="cifar100-binary",
        train=("train.bin",),
        valid="test.bin",
        names="fine_label_names.txt",
        read=_binary_batch(2),
        read_names=_text_names,
    ),
)
