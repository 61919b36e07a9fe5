"""Recognise the format of a data set by the files in its folder."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from denas_core.errors import ConfigError

from . import cifar, folder, idx
from .duplicates import MOST_COMPARED, check_duplicates
from .images import Images, ImageSource, check_classes, held_out
from .listing import folders_in
from .tables import reader as table_reader
from .tables.columns import Columns
from .tables.reader import open_tables, tables_in
from .tables.rows import EXTENSIONS as TABLES
from .tables.rows import is_table

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")


FOUND = Columns()
"""All columns of a table are found by their names and content."""


class NotImages(ConfigError):
    """There is no data set of images."""


class Found(NamedTuple):
    """A data set that was recognised: where it is, what it is called, and what reads it."""

    place: Path
    name: str
    read: Callable[[], Images]


def open_images(
    path: Path,
    *,
    valid_share: float = 0.1,
    to_evaluate: bool = False,
    multiple: bool = False,
    subset: str = "",
    columns: Columns = FOUND,
    most_compared: int = MOST_COMPARED,
) -> Images:
    """Open a data set of images in any known format.

    The folder may be the one that contains the files, or its parent.

    Args:
        path: The folder, or the file of a table.
        valid_share: Share of each class to use for validation if the data has no validation part.
        to_evaluate: Whether only `Images.valid` is needed; a test part is then preferred.
        multiple: Whether the labels of an image are wanted as a set.
        subset: Which of several data sets in the folder is read: a part of its name.
        columns: The columns of a table.
        most_compared: See `check_duplicates`.

    Raises:
        ConfigError: something is missing, damaged or unknown; the text names it.
    """
    images = list_images(path, to_evaluate=to_evaluate, multiple=multiple, subset=subset, columns=columns)
    if images.train is None and not to_evaluate:
        raise ConfigError(f"{str(path)!r} has validation images but no training images (train)")
    try:
        check_classes(images, path)
        images = held_out(images, valid_share)
        notices = check_duplicates(images, path, most=most_compared)
    except ConfigError as error:
        # What was left out may be the reason of the error.
        raise ConfigError("; ".join([str(error), *images.notices])) from error
    return dataclasses.replace(images, notices=(*images.notices, *notices))


def list_images(
    path: Path,
    *,
    to_evaluate: bool = False,
    multiple: bool = False,
    subset: str = "",
    columns: Columns = FOUND,
) -> Images:
    """Return the images as the files have them, without a part that is held out; see `open_images`."""
    if not path.exists():
        raise NotImages(f"there is no data set at {str(path)!r}; give the folder that contains it")
    try:
        images = recognise(
            path, to_evaluate=to_evaluate, subset=subset, columns=columns, multiple=multiple
        ).read()
    except OSError as error:
        raise ConfigError(
            f"{error.filename or str(path)!r} cannot be read: {error.strerror or error}"
        ) from error
    return as_sets(images) if multiple and not images.multiple else images


def recognise(
    path: Path, *, to_evaluate: bool, subset: str = "", columns: Columns = FOUND, multiple: bool = False
) -> Found:
    """Return the data set at `path`, which is not opened yet.

    Raises:
        ConfigError: there is none, or there are several.
    """

    def table(place: Path) -> Found | None:
        tables = tables_in(place, columns)
        read = functools.partial(
            open_tables, tables, columns, path, test_first=to_evaluate, multiple=multiple
        )
        return Found(path, table_reader.KIND, read) if tables else None

    if not path.is_dir():
        try:
            if is_table(path) and (found := table(path)):
                return found
        except ConfigError as error:
            raise NotImages(str(error)) from error
        raise NotImages(_why_no_table(path))
    arrays = _arrays_in(path, subset)
    if arrays:
        return arrays
    root = folder.root_of(path)
    has_parts = root is not None and bool(folder.parts_in(root))
    below = folders_in(path)
    for place in () if has_parts else (path, *(below if len(below) == 1 else ())):
        if found := table(place):
            return found
    if root is not None:
        return Found(root, folder.KIND, functools.partial(folder.open_folder, root, test_first=to_evaluate))
    archives = [reason for inner in sorted(path.iterdir()) if (reason := _archive(inner))]
    raise NotImages(archives[0] if archives else _unknown(path))


def _arrays_in(path: Path, subset: str) -> Found | None:
    """Return the data set in files that hold many images each."""
    found = []
    for place in (path, *folders_in(path)):
        for layout in cifar.LAYOUTS:
            if layout.is_in(place):
                found.append(Found(place, layout.kind, functools.partial(layout.open, place)))
        # torchvision stores the files of MNIST in a folder with this name.
        for inner in (place, place / "raw"):
            for prefix in idx.sets_in(inner):
                name = f"{idx.KIND} {prefix.rstrip('-')}".strip()
                found.append(Found(inner, name, functools.partial(idx.open_idx, inner, prefix)))
    found = list({(each.place, each.name): each for each in found if subset in each.name}.values())
    # Files in the folder itself are preferred over files in its subfolders.
    here = [each for each in found if each.place == path] or found
    if len(here) > 1:
        listed = ", ".join(f"{str(place)!r} ({name})" for place, name, _ in here)
        raise ConfigError(
            f"{str(path)!r} contains several data sets: {listed}; give the folder of one, or a part of its name as "
            "task.subset"
        )
    return here[0] if here else None


def as_sets(images: Images) -> Images:
    """Return images with one label each as images with sets of labels."""

    def source(one: ImageSource | None) -> ImageSource | None:
        if one is None:
            return None
        labels = [(label,) if isinstance(label, int) else label for label in one.labels]
        return one.part(range(len(one)), labels)

    return dataclasses.replace(images, train=source(images.train), valid=source(images.valid), multiple=True)


def _why_no_table(path: Path) -> str:
    if is_table(path):
        return (
            f"{str(path)!r} has no column that names image files: its columns are read relative to the file and to the "
            "folders beside it; name the column with task.path"
        )
    return _archive(path) or (
        f"{str(path)!r} is a file; give the folder of the data set, or a table ({', '.join(TABLES)})"
    )


def _archive(path: Path) -> str:
    is_archive = path.is_file() and path.name.lower().endswith(ARCHIVES)
    return (
        f"{str(path)!r} is an archive, which cannot be read; unpack it, and give the folder"
        if is_archive
        else ""
    )


def _unknown(path: Path) -> str:
    looked = [f"{layout.kind} ({layout.looks_like()})" for layout in cifar.LAYOUTS]
    looked += [f"{idx.KIND} ({idx.LOOKS_LIKE})", f"{folder.KIND} ({folder.LOOKS_LIKE})"]
    looked.append(f"{table_reader.KIND} ({table_reader.LOOKS_LIKE})")
    return f"{str(path)!r} contains no data set of images in a known format; looked for: {'; '.join(looked)}"
