"""The folder of an export: it is made beside its place, and takes it when it is complete."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, PluginError, StoreDamaged
from denas_core.system.atomic import storage_errors, sync_directory
from denas_core.text import safe_repr

SCHEMA = "denas.export/1"
CARD = "card.json"
"""File in each export with what its user must know: labels, normalisation, shapes of inputs, and its origin."""


@contextlib.contextmanager
def export_folder(directory: Path, *, replace: bool) -> Iterator[Path]:
    """Yield an empty hidden directory beside `directory`, and move it there when the block ends.

    After an error it is removed, and `directory` is as before.

    Args:
        directory: The target. It is new or empty, or, with `replace`, an earlier export.
        replace: Whether an earlier export is replaced.

    Raises:
        ConfigError: see `check_target`.
        StorageError: the file system refuses.
    """
    with storage_errors(directory):
        _recover(directory)
    check_target(directory, replace=replace)
    with _beside(directory) as partial:
        yield partial
        with storage_errors(directory):
            _sync(partial, files_in(partial))
            _put(partial, directory)


def files_in(directory: Path) -> list[Path]:
    """Return every file below a directory."""
    return [path for path in directory.rglob("*") if path.is_file()]


def place_of(artefact: Path, directory: Path, owner: str) -> Path:
    """Return the path of an artefact relative to its directory.

    Raises:
        PluginError: the artefact is not in the directory, or does not exist. `owner` names the exporter.
    """
    if not isinstance(artefact, Path) or not artefact.is_relative_to(directory) or not artefact.exists():
        raise PluginError(
            f"{owner} returns {safe_repr(artefact)}, which is not a file or folder that it has written"
        )
    return artefact.relative_to(directory)


def check_target(directory: Path, *, replace: bool) -> None:
    """Check that an export would not overwrite anything.

    Raises:
        ConfigError: the target is a file, or a directory with files that may not be replaced.
    """
    if directory.name in ("", ".."):
        raise ConfigError(
            f"{str(directory)!r} cannot be replaced as a whole; name a directory of its own with --out"
        )
    with storage_errors(directory):
        if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
            return
    if not _is_export(directory):
        raise ConfigError(f"{str(directory)!r} exists and is not an export; name another place with --out")
    if not replace:
        raise ConfigError(
            f"{str(directory)!r} holds an export already; write it again with --replace, or name another place with "
            "--out"
        )


def read_card(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the directory and the card of an export, or None if there is none.

    Args:
        path: The directory of an export, or a file or folder in it.
    """
    for directory in (path, path.parent):
        try:
            card = json.loads((directory / CARD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(card, dict) and card.get("schema") == SCHEMA:
            return directory, card
    return None


def refuse_damaged_card(path: Path) -> None:
    """Refuse an export whose card `read_card` cannot read; do nothing if there is no card.

    Args:
        path: As in `read_card`.

    Raises:
        StoreDamaged: there is a card.
    """
    directory = path if path.is_dir() else path.parent
    if path.exists() and (directory / CARD).is_file():
        raise damaged_card(directory, f"it is not a document of the schema {SCHEMA!r}")


def damaged_card(directory: Path, reason: str) -> StoreDamaged:
    """Return the error for an export whose card cannot be used."""
    return StoreDamaged(
        f"{str(directory / CARD)!r} is damaged ({reason}); copy the folder of the export again, or export the network "
        "again"
    )


def _is_export(directory: Path) -> bool:
    found = read_card(directory)
    return found is not None and found[0] == directory


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """Yield an empty directory beside `directory`. After an error it is removed."""
    with storage_errors(directory):
        missing = [parent for parent in directory.parents if not parent.exists()]
    partial = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}.partial")
    lock: int | None = None
    # A signal may end this at any line, so the directory is made where what is left behind is removed.
    try:
        with storage_errors(directory):
            directory.parent.mkdir(parents=True, exist_ok=True)
            for leftover in directory.parent.glob(f".{glob.escape(directory.name)}.*.partial"):
                _remove_abandoned(leftover)
            partial.mkdir()
            lock = os.open(partial, os.O_RDONLY)
            # The lock is held while this process lives. It distinguishes work in progress from what a killed process
            # left.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in missing:
            with contextlib.suppress(OSError):  # the folder contains other files
                parent.rmdir()
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _remove_abandoned(leftover: Path) -> None:
    descriptor = os.open(leftover, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    finally:
        os.close(descriptor)
    shutil.rmtree(leftover, ignore_errors=True)


def _sync(directory: Path, files: list[Path]) -> None:
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for folder in (path for path in directory.rglob("*") if path.is_dir()):
        sync_directory(folder)
    sync_directory(directory)


def _recover(directory: Path) -> None:
    # A kill between the two steps of a replacement leaves the earlier export under another name.
    if directory.name and (former := _former(directory)).exists():
        if directory.exists():
            shutil.rmtree(former, ignore_errors=True)
        else:
            former.rename(directory)


def _former(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.former")


def _put(partial: Path, directory: Path) -> None:
    former = _former(directory)
    if _is_export(directory):
        directory.rename(former)
    try:
        # This also replaces an empty directory.
        partial.rename(directory)
    except OSError:
        if former.exists():
            former.rename(directory)
        raise
    sync_directory(directory.parent)
    shutil.rmtree(former, ignore_errors=True)
