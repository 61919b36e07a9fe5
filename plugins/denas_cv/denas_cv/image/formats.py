"""Recognise the format of a data set by the files in its folder."""

from __future__ import annotations

import os
from pathlib import Path

from denas_core.errors import ConfigError

from . import cifar, folder, idx
from .images import Images, check_classes, held_out

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")


def open_images(path: Path, *, valid_share: float = 0.1, to_evaluate: bool = False) -> Images:
    """Open a data set of images in any known format.

    The folder may be the one that contains the files, or its parent.

    Args:
        path: The folder.
        valid_share: Share of each class to use for validation if the data has no validation part.
        to_evaluate: Whether only `Images.valid` is needed; a test part is then preferred.

    Raises:
        ConfigError: something is missing, damaged or unknown; the text names it.
    """
    if not path.exists():
        raise ConfigError(f"there is no data set at {str(path)!r}; give the folder that contains it")
    if not path.is_dir():
        raise ConfigError(_archive(path) or f"{str(path)!r} is a file; give the folder of the data set")
    try:
        images = _open(path, to_evaluate)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or str(path)!r} cannot be read: {error.strerror or error}"
        ) from error
    if images.train is None and not to_evaluate:
        raise ConfigError(f"{str(path)!r} has validation images but no training images (train)")
    check_classes(images, path)
    return held_out(images, valid_share)


def _open(path: Path, to_evaluate: bool) -> Images:
    found = []
    for place in (path, *_below(path)):
        found += [(place, layout.kind, layout.open) for layout in cifar.LAYOUTS if layout.is_in(place)]
        # torchvision stores the files of MNIST in a folder with this name.
        found += [(inner, idx.KIND, idx.open_idx) for inner in (place, place / "raw") if idx.is_in(inner)]
    # Files in the folder itself are preferred over files in its subfolders.
    here = [each for each in found if each[0] == path] or list(dict.fromkeys(found))
    if len(here) > 1:
        listed = ", ".join(f"{str(place)!r} ({kind})" for place, kind, _ in here)
        raise ConfigError(f"{str(path)!r} contains several data sets: {listed}; give the folder of one")
    if here:
        place, _, read = here[0]
        return read(place)
    root = folder.root_of(path)
    if root is not None:
        return folder.open_folder(root, test_first=to_evaluate)
    archives = [reason for inner in sorted(path.iterdir()) if (reason := _archive(inner))]
    raise ConfigError(archives[0] if archives else _unknown(path))


def _below(path: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(path) if entry.is_dir())


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
    return f"{str(path)!r} contains no data set of images in a known format; looked for: {'; '.join(looked)}"
