"""Read images from folders, one folder for each class."""

from __future__ import annotations

import os
from pathlib import Path

from denas_core.errors import ConfigError

from .classes import KnownClasses, class_name, similar_names
from .decoding import EXTENSIONS
from .images import FileSource, Images
from .listing import LeftOut, folders_in, images_under, is_image
from .parts import TEST, TRAIN, VALID

KIND = "image-folder"
LOOKS_LIKE = "train/CLASS/*.jpg with val/CLASS/*.jpg (or valid, validation, test), or CLASS/*.jpg alone"


def root_of(folder: Path) -> Path | None:
    """Return `folder` or the only folder in it, whichever has class folders with images; None if neither has."""
    below = folders_in(folder)
    if parts_in(folder):
        return folder
    if len(below) == 1 and (parts_in(below[0]) or any(has_images(inner) for inner in folders_in(below[0]))):
        return below[0]
    return folder if any(has_images(inner) for inner in below) else None


def open_folder(root: Path, *, test_first: bool) -> Images:
    """List the images under `root` without opening them.

    Args:
        root: A folder that `root_of` returned.
        test_first: Whether to prefer ``test/`` over ``val/`` as validation images if both exist.

    Raises:
        ConfigError: a folder is empty, or is not a class of the training images; the text names it.
    """
    parts = parts_in(root)
    if not parts:
        _refuse_parts_as_classes(root)
        known, everything, left_out = _list_images(root, None)
        return Images(train=everything, valid=None, labels=known.names, kind=KIND, notices=tuple(left_out))
    order = (TEST, VALID) if test_first else (VALID, TEST)
    valid_folder = next((parts[name] for names in order for name in names if name in parts), None)
    train_folder = next((parts[name] for name in TRAIN if name in parts), None)
    classes: KnownClasses | None = None
    train = valid = None
    notices = _beside_parts(root, parts, train_folder, valid_folder)
    if train_folder is not None:
        classes, train, more = _list_images(train_folder, None)
        notices += more
    if valid_folder is not None:
        classes, valid, more = _list_images(valid_folder, classes)
        notices += [*more, *classes.notices()]
    return Images(
        train=train,
        valid=valid,
        labels=classes.names if classes else (),
        kind=KIND,
        notices=tuple(notices),
    )


def _list_images(folder: Path, known: KnownClasses | None) -> tuple[KnownClasses, FileSource, list[str]]:
    """Return classes, images and notices of a folder of class folders; the classes are `known` or found there."""
    left_out = LeftOut()
    folders = folders_in(folder, left_out)
    names = [class_name(path.name) for path in folders]
    notices = []
    if known is None:
        known = KnownClasses(tuple(dict.fromkeys(names)))
        notices += [
            f"{str(folder)!r} has the classes {one!r} and {other!r}, which differ only in upper and lower case"
            for one, other in similar_names(known.names)
        ]
    paths: list[str] = []
    numbers: list[int] = []
    for path in folders:
        number = known.number(path.name)
        if number is None:
            raise ConfigError(
                f"{str(path)!r} is not a class of the training images; add training images of it, or remove the folder"
            )
        images = list(images_under(path, left_out))
        if not images:
            raise ConfigError(_no_images(path, left_out))
        paths += images
        numbers += [number] * len(images)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        notices.append(
            f"{str(folder)!r} has several folders whose names are equal in Unicode, such as {twice[0]!r}: they are "
            "read as one class"
        )
    left_out.beside += [file.path for file in os.scandir(folder) if file.is_file() and is_image(file.path)]
    notices += left_out.notices(folder)
    absent = [name for number, name in enumerate(known.names) if number not in set(numbers)]
    if absent:
        notices.append(f"{str(folder)!r} has no images of {len(absent)} classes, such as {absent[0]!r}")
    return known, FileSource(paths, numbers), notices


def _no_images(folder: Path, left_out: LeftOut) -> str:
    here = LeftOut(
        **{
            kind: [path for path in paths if Path(path).is_relative_to(folder)]
            for kind, paths in vars(left_out).items()
        }
    )
    found = "".join(f"; {notice}" for notice in here.notices(folder))
    kinds = ", ".join(sorted(EXTENSIONS))
    return f"class folder {str(folder)!r} holds no images ({kinds}){found}; add some or remove it"


def parts_in(folder: Path) -> dict[str, Path]:
    """Return the folders of training and test images by name, if they contain class folders."""
    names = (*TRAIN, *VALID, *TEST)
    found: dict[str, Path] = {}
    for path in folders_in(folder):
        if path.name.lower() in names and folders_in(path):
            found.setdefault(path.name.lower(), path)
    return found


def _beside_parts(root: Path, parts: dict[str, Path], train: Path | None, valid: Path | None) -> list[str]:
    """Return notices about what lies beside the folders of training and test images and is not read."""
    left_out = LeftOut()
    for path in folders_in(root, left_out):
        if path not in parts.values():
            left_out.beside.append(str(path))
    left_out.beside += [file.path for file in os.scandir(root) if file.is_file() and is_image(file.path)]
    notices = left_out.notices(root)
    if valid is not None and any(path not in (train, valid) for path in parts.values()):
        unread = [f"{path.name}/" for path in parts.values() if path not in (train, valid)]
        has_both = len({names for names in (VALID, TEST) for name in names if name in parts}) > 1
        notices.append(
            f"evaluated on {valid.name}/"
            if has_both and len(unread) == 1
            else f"not read: {', '.join(unread)}"
        )
    return notices


def _refuse_parts_as_classes(root: Path) -> None:
    """Refuse folders of training and test images without class folders: they would be taken for two classes."""
    names = [path.name for path in folders_in(root)]
    if names and all(name.lower() in (*TRAIN, *VALID, *TEST) for name in names):
        raise ConfigError(
            f"{str(root)!r} has images in {', '.join(f'{name}/' for name in names)} but no class folders in them; put "
            "the images of each class into a folder (train/CLASS/*.jpg), or add a table of paths and labels (train.csv)"
        )


def images_in(path: Path) -> list[Path]:
    """Return the images in a folder and its folders, in order; a path that is not a folder is returned as it is.

    Raises:
        ConfigError: the folder has no images.
    """
    if not path.is_dir():
        return [path]
    left_out = LeftOut()
    found = [Path(file) for file in images_under(path, left_out)]
    if not found:
        more = "".join(f"; {notice}" for notice in left_out.notices(path))
        raise ConfigError(f"{str(path)!r} has no image; looked for {', '.join(sorted(EXTENSIONS))}{more}")
    return found


def has_images(folder: Path) -> bool:
    """Return whether there is an image in `folder` or the folders in it."""
    return next(images_under(folder, LeftOut()), None) is not None
