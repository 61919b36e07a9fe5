"""Read the parts of a data set: what is learnt from, and what is measured on."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from denas_core import derive_rng
from denas_core.errors import ConfigError

from .faults import with_notices
from .files import Files, Found, found_files

T = TypeVar("T")


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
    part: str = "",
    stratum: Callable[[T], Hashable] = lambda item: None,
) -> Parts[T]:
    """Read the data set at `path`.

    Args:
        path: A file or folder.
        files: The names of the files.
        read: Function that reads one file and returns its items and notices.
        to_evaluate: Whether only the evaluation items are needed.
        valid_share: Share of the items to use for validation if there is no validation file.
        part: The part that an evaluation uses: ``train``, ``valid`` or ``test``; empty for the usual one.
        stratum: Function of an item; a share that is set aside has as many items of each of its values as the rest.

    Raises:
        ConfigError: a file is missing, or several files match.
    """
    found = found_files(path, files, to_evaluate=to_evaluate)
    notices = list(found.notices)

    def read_all(paths: Sequence[Path]) -> list[T]:
        items: list[T] = []
        for each in paths:
            more, told = read(each)
            items += more
            notices.extend(told)
        return items

    with with_notices(notices):
        if to_evaluate and (measured := _named_part(found, part, files)):
            return Parts(train=None, valid=read_all(measured), notices=tuple(notices))
        if found.valid and not to_evaluate and not found.train:
            raise ConfigError(
                f"{str(path)!r} has {found.valid[0].name!r} for validation, but no training file ({files.train})"
            )
        if not found.train:
            raise ConfigError(
                f"{str(path)!r} holds no {files.kind}; looked for {files.train} and {files.valid}"
            )
        items = read_all(found.train)
        if found.valid:
            return Parts(train=items, valid=read_all(found.valid), notices=tuple(notices))
        learnt, measured_items = held_out(items, valid_share, path=found.train[0], stratum=stratum)
    notices.append(
        f"there is no validation file ({files.valid}): {len(measured_items)} of the {len(items)} {files.items} of "
        f"{found.train[0].name!r}, always the same ones, are used for validation (task.valid_share)"
    )
    return Parts(train=None if to_evaluate else learnt, valid=measured_items, notices=tuple(notices))


def _named_part(found: Found, part: str, files: Files) -> tuple[Path, ...]:
    """Return the files of the part that an evaluation uses; empty if a share of the training file is used."""
    if not part:
        return found.valid or found.test
    if part not in ("train", "valid", "test"):
        raise ConfigError(f"there is no part {part!r}; choose train, valid or test (task.split)")
    paths: tuple[Path, ...] = getattr(found, part)
    if not paths and part != "valid":
        raise ConfigError(
            f"there is no file of the part {part!r} of {files.kind}; choose another (task.split)"
        )
    return paths


def held_out(
    items: Sequence[T],
    share: float,
    *,
    path: Path,
    stratum: Callable[[T], Hashable] = lambda item: None,
) -> tuple[list[T], list[T]]:
    """Return the training items and the validation items.

    The choice depends only on the items and on `share`, so that an evaluation uses the same items. An item that is
    alone in its stratum is a training item.

    Raises:
        ConfigError: there are too few items.
    """
    if len(items) < 2:
        raise ConfigError(f"{str(path)!r} has too little data to use a part of it for validation")
    strata: dict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        strata[stratum(item)].append(index)
    rng = derive_rng(0, "held-out texts")
    aside: set[int] = set()
    if all(len(indices) == 1 for indices in strata.values()):
        strata = defaultdict(list, {None: list(range(len(items)))})
    for indices in strata.values():
        if len(indices) > 1:
            count = min(max(round(share * len(indices)), 1), len(indices) - 1)
            aside.update(indices[place] for place in rng.sample(range(len(indices)), count))
    parts: tuple[list[T], list[T]] = [], []
    for index, item in enumerate(items):
        parts[index in aside].append(item)
    return parts
