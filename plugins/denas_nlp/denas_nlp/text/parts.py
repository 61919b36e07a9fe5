"""Find the training and the validation file of a data set."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from denas_core import derive_rng
from denas_core.errors import ConfigError

T = TypeVar("T")

TRAIN = ("train", "training")
VALID = ("dev", "valid", "validation", "val")
"""Words in a file name that show which part the file is."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The names of a data set's files.

    Attributes:
        kind: Name of the data set in errors.
        items: Name of its items in errors.
        train: Usual name of the training file.
        valid: Usual name of the validation file.
        folder: Usual name of their folder, so that its parent can be given instead; empty for none.
    """

    kind: str
    items: str
    train: str
    valid: str
    folder: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Generic[T]):
    """The contents of a data set.

    Attributes:
        train: Training items; None if only evaluation items were requested.
        valid: Validation items.
        notices: Notices for the user.
    """

    train: Sequence[T] | None
    valid: Sequence[T]
    notices: tuple[str, ...]


def read_parts(
    path: Path,
    files: Files,
    read: Callable[[Path], tuple[list[T], tuple[str, ...]]],
    *,
    to_evaluate: bool,
    valid_share: float,
) -> Parts[T]:
    """Read the data set at `path`.

    Args:
        path: A file or folder.
        files: The names of the files.
        read: Function that reads one file and returns its items and notices.
        to_evaluate: Whether only the evaluation items are needed.
        valid_share: Share of the items to use for validation if there is no validation file.

    Raises:
        ConfigError: a file is missing, or several files match.
    """
    train, valid = _found(path, files, to_evaluate=to_evaluate)
    if valid is not None:
        measured, notices = read(valid)
        if to_evaluate:
            return Parts(train=None, valid=measured, notices=notices)
        if train is None:
            raise ConfigError(
                f"{str(path)!r} has {valid.name!r} for validation, but no training file ({files.train})"
            )
        learnt, more = read(train)
        return Parts(train=learnt, valid=measured, notices=(*more, *notices))
    if train is None:
        raise ConfigError(f"{str(path)!r} holds no {files.kind}; looked for {files.train} and {files.valid}")
    items, notices = read(train)
    learnt, measured = held_out(items, valid_share, path=train)
    return Parts(
        train=None if to_evaluate else learnt,
        valid=measured,
        notices=(
            *notices,
            f"there is no validation file ({files.valid}): {len(measured)} of the {len(items)} {files.items} of "
            f"{train.name!r}, always the same ones, are used for validation (task.valid_share)",
        ),
    )


def held_out(items: Sequence[T], share: float, *, path: Path) -> tuple[list[T], list[T]]:
    """Return the training items and the validation items.

    The choice depends only on the number of items and on `share`, so that an evaluation uses the same items.

    Raises:
        ConfigError: there are too few items.
    """
    if len(items) < 2:
        raise ConfigError(f"{str(path)!r} has too little data to use a part of it for validation")
    count = min(max(round(share * len(items)), 1), len(items) - 1)
    aside = set(derive_rng(0, "held-out texts").sample(range(len(items)), count))
    parts: tuple[list[T], list[T]] = [], []
    for index, item in enumerate(items):
        parts[index in aside].append(item)
    return parts


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error


def _found(path: Path, files: Files, *, to_evaluate: bool) -> tuple[Path | None, Path | None]:
    if not path.exists():
        raise ConfigError(
            f"there is no data set at {str(path)!r}; give a file of {files.kind}, or the folder with {files.train} and "
            f"{files.valid}"
        )
    if not path.is_dir():
        # A single file is used for the requested purpose, unless its name shows that it is the training file.
        is_train = not to_evaluate or _is_named(path, TRAIN)
        return (path, None) if is_train else (None, path)
    inner = path / files.folder
    try:
        if (
            files.folder
            and inner.is_dir()
            and not any((path / name).exists() for name in (files.train, files.valid))
        ):
            path = inner
        there = sorted(each for each in path.iterdir() if each.suffix == Path(files.train).suffix)
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    valid = _one(path, there, files.valid, VALID)
    is_enough = to_evaluate and valid is not None
    return None if is_enough else _one(path, there, files.train, TRAIN), valid


def _one(folder: Path, there: Sequence[Path], usual: str, words: Sequence[str]) -> Path | None:
    if (folder / usual) in there:
        return folder / usual
    named = [each for each in there if _is_named(each, words)]
    if len(named) > 1:
        listed = ", ".join(repr(each.name) for each in named)
        raise ConfigError(
            f"{str(folder)!r} has several files that could be {usual!r}: {listed}; rename one to that"
        )
    return named[0] if named else None


def _is_named(path: Path, words: Sequence[str]) -> bool:
    return not set(words).isdisjoint(re.split(r"[^a-z]+", path.name.lower()))
