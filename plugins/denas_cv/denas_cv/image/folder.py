"""Read images from folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from denas_core.errors import ConfigError

from .decoding import EXTENSIONS
from .images import FileSource, Images

KIND = "image-folder"
LOOKS_LIKE = "train/CLASS/*.jpg with val/CLASS/*.jpg (or valid, validation, test), or CLASS/*.jpg alone"
TRAIN = ("train", "training")
VALID = ("val", "valid", "validation")
TEST = ("test", "testing")


def root_of(folder: Path) -> Path | None:
    """Return `folder` or the only folder in it, whichever has class folders with images; None if neither has."""
    below = _folders(folder)
    if _parts(folder):
        return folder
    if len(below) == 1 and (_parts(below[0]) or any(_has_images(inner) for inner in _folders(below[0]))):
        return below[0]
    return folder if any(_has_images(inner) for inner in below) else None


def open_folder(root: Path, *, test_first: bool) -> Images:
    """List the images under `root` without opening them.

    Args:
        root: A folder that `root_of` returned.
        test_first: Whether to prefer ``test/`` over ``val/`` as validation images if both exist.

    Raises:
        ConfigError: a folder is empty, or is not a class of the training images; the text names it.
    """
    parts = _parts(root)
    if not parts:
        labels, everything, left_out = _list_images(root, None)
        return Images(train=everything, valid=None, labels=labels, kind=KIND, notices=tuple(left_out))
    order = (TEST, VALID) if test_first else (VALID, TEST)
    valid_folder = next((parts[name] for names in order for name in names if name in parts), None)
    train_folder = next((parts[name] for name in TRAIN if name in parts), None)
    known: tuple[str, ...] | None = None
    train = valid = None
    notices: list[str] = []
    if train_folder is not None:
        known, train, notices = _list_images(train_folder, None)
    if valid_folder is not None:
        known, valid, more = _list_images(valid_folder, known)
        notices += more
    measured = [names for names in (VALID, TEST) if any(name in parts for name in names)]
    if valid_folder is not None and len(measured) > 1:
        notices.append(f"evaluated on {valid_folder.name}/")
    return Images(train=train, valid=valid, labels=known or (), kind=KIND, notices=tuple(notices))


def _list_images(
    folder: Path, known: tuple[str, ...] | None
) -> tuple[tuple[str, ...], FileSource, list[str]]:
    """Return classes, images and notices of a folder of class folders; the classes are `known` or found there."""
    classes = _folders(folder)
    labels = tuple(path.name for path in classes) if known is None else known
    notices = []
    paths: list[str] = []
    numbers: list[int] = []
    others: list[str] = []
    for path in classes:
        if path.name not in labels:
            raise ConfigError(
                f"{str(path)!r} is not a class of the training images; add training images of it, or remove the folder"
            )
        images: list[str] = []
        for file in _files(path):
            (images if _is_image(file) else others).append(file)
        if not images:
            raise ConfigError(
                f"class folder {str(path)!r} holds no images ({', '.join(sorted(EXTENSIONS))}); add some or remove it"
            )
        paths += images
        numbers += [labels.index(path.name)] * len(images)
    beside = [file.path for file in os.scandir(folder) if file.is_file() and _is_image(file.path)]
    if beside:
        notices.append(f"{len(beside)} images lie in {str(folder)!r} itself, not in a class folder: left out")
    if others:
        notices.append(
            f"{len(others)} files under {str(folder)!r} are not images, such as {others[0]!r}: left out"
        )
    absent = [label for label in labels if label not in {path.name for path in classes}]
    if absent:
        notices.append(f"{str(folder)!r} has no images of {len(absent)} classes, such as {absent[0]!r}")
    return labels, FileSource(paths, numbers), notices


def _parts(folder: Path) -> dict[str, Path]:
    """Return the folders of training and test images by name, if they contain class folders."""
    names = (*TRAIN, *VALID, *TEST)
    return {
        path.name.lower(): path for path in _folders(folder) if path.name.lower() in names and _folders(path)
    }


def _folders(folder: Path) -> list[Path]:
    # Sorted by name, because the order gives the classes their numbers and file systems have no fixed order.
    found = [
        Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")
    ]
    return sorted(found, key=lambda path: path.name)


def images_in(path: Path) -> list[Path]:
    """Return the images in a folder and its folders, in order; a path that is not a folder is returned as it is.

    Raises:
        ConfigError: the folder has no images.
    """
    if not path.is_dir():
        return [path]
    found = [Path(file) for file in _files(path) if _is_image(file)]
    if not found:
        raise ConfigError(f"{str(path)!r} has no image; looked for {', '.join(sorted(EXTENSIONS))}")
    return found


def _files(folder: Path) -> Iterator[str]:
    for base, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted(names):
            # Hidden files of operating systems are not reported.
            if not name.startswith(".") and name != "Thumbs.db":
                yield os.path.join(base, name)  # noqa: PTH118 - a million paths


def _has_images(folder: Path) -> bool:
    return any(_is_image(file) for file in _files(folder))


def _is_image(file: str) -> bool:
    return os.path.splitext(file)[1].lower() in EXTENSIONS  # noqa: PTH122 - a million paths
