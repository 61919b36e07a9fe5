"""List the files of a data set; what is not read is counted, with one name of each kind."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from denas_core import is_hidden

from .decoding import EXTENSIONS


@dataclasses.dataclass(kw_only=True)
class LeftOut:
    """What is in a folder and is not read.

    Attributes:
        hidden: Hidden files and folders, and what archives and operating systems leave behind.
        links: Links to folders inside of a class, which could lead to another class or back.
        broken: Links whose target is missing, and what is neither a file nor a folder.
        others: Files that are not images by their name.
        beside: Images and folders in places where no class can be known.
    """

    hidden: list[str] = dataclasses.field(default_factory=list)
    links: list[str] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)
    others: list[str] = dataclasses.field(default_factory=list)
    beside: list[str] = dataclasses.field(default_factory=list)

    def notices(self, folder: Path) -> list[str]:
        """Return a sentence for each kind of which there is something under `folder`."""
        kinds = (
            (self.beside, "images or folders lie in no class folder"),
            (self.others, "files are not images by their name"),
            (self.hidden, "files or folders are hidden or left behind by an archive"),
            (self.links, "links lead to folders"),
            (self.broken, "links or files cannot be opened"),
        )
        return [
            f"left out under {str(folder)!r}: {len(paths)} {what}, such as {min(paths)!r}"
            for paths, what in kinds
            if paths
        ]


def is_image(file: str) -> bool:
    """Return whether a file is an image by its name."""
    return os.path.splitext(file)[1].lower() in EXTENSIONS  # noqa: PTH122 - a million paths


def folders_in(folder: Path, left_out: LeftOut | None = None) -> list[Path]:
    """Return the folders in `folder` that are not hidden, links to folders included, in the order of their names."""
    found = []
    for entry in os.scandir(folder):
        if not entry.is_dir():
            continue
        if not is_hidden(entry.name):
            found.append(Path(entry.path))
        elif left_out is not None:
            left_out.hidden.append(entry.path)
    # Sorted by name, because the order gives the classes their numbers and file systems have no fixed order.
    return sorted(found, key=lambda path: path.name)


def images_under(folder: Path | str, left_out: LeftOut) -> Iterator[str]:
    """Yield the paths of the images in `folder` and the folders in it, in order.

    Raises:
        OSError: a folder cannot be opened.
    """
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    inner = []
    for entry in ordered:
        if is_hidden(entry.name):
            left_out.hidden.append(entry.path)
        elif entry.is_dir():
            if entry.is_symlink():
                left_out.links.append(entry.path)
            else:
                inner.append(entry.path)
        elif not is_image(entry.name):
            left_out.others.append(entry.path)
        elif entry.is_file():
            yield entry.path
        else:
            left_out.broken.append(entry.path)
    for path in inner:
        yield from images_under(path, left_out)
