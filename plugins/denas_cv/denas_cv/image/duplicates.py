"""Find images that occur twice, byte for byte: with different labels, or in training and validation."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from denas_core.errors import ConfigError

from .images import Images, ImageSource, Label

MOST_COMPARED = 50_000
"""Number of image files up to which they are compared; comparing opens each of them."""

READERS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where an image is: in which source, at which index."""

    source: ImageSource
    index: int

    @property
    def label(self) -> Label:
        """The label of the image."""
        return self.source.labels[self.index]

    @property
    def name(self) -> str:
        """The name of the image for the user."""
        return self.source.name(self.index)


def check_duplicates(images: Images, path: Path, *, most: int = MOST_COMPARED) -> list[str]:
    """Return notices about equal images whose labels differ, and about those that training and validation share.

    Args:
        images: The data set.
        path: Where it is, for errors.
        most: Number of image files up to which they are compared.

    Raises:
        ConfigError: all training images are equal.
    """
    train, valid = images.train, images.valid
    sources = [source for source in (train, valid) if source is not None]
    if any(source.in_files for source in sources) and sum(map(len, sources)) > most:
        return []
    groups = _equal_images([Place(source, index) for source in sources for index in range(len(source))])
    if train is not None and len(train) > 1 and any(_count(group, train) == len(train) for group in groups):
        raise ConfigError(
            f"all {len(train)} training images in {str(path)!r} are equal, so nothing can be learnt; check how they "
            "were copied"
        )
    notices = []
    contrary = [group for group in groups if len({place.label for place in group}) > 1]
    if contrary:
        one = contrary[0][0]
        other = next(place for place in contrary[0] if place.label != one.label)
        notices.append(
            f"{sum(map(len, contrary))} images occur with different labels: for example {one.name!r} and "
            f"{other.name!r} are equal, but one is {images.label_name(one.label)!r} and the other "
            f"{images.label_name(other.label)!r}"
        )
    if train is not None and valid is not None:
        shared = [group for group in groups if 0 < _count(group, valid) < len(group)]
        if shared:
            one, other = shared[0][0], next(place for place in shared[0] if place.source is valid)
            notices.append(
                f"{sum(_count(group, valid) for group in shared)} of {len(valid)} validation images are also training "
                f"images, such as {other.name!r} (equal to {one.name!r}): metrics are too good because of them"
            )
    return notices


def _count(group: Iterable[Place], source: ImageSource) -> int:
    return sum(place.source is source for place in group)


def _equal_images(places: list[Place]) -> list[list[Place]]:
    """Return the groups of equal images, in the order of their first image."""

    def sketch(place: Place) -> Hashable:
        return _or_unique(place, place.source.sketch)

    def digest(place: Place) -> Hashable:
        return _or_unique(place, lambda index: hashlib.blake2b(place.source.content(index)).digest())

    with ThreadPoolExecutor(READERS) as pool:
        alike = _groups(zip(pool.map(sketch, places), places, strict=True))
        left = [place for group in alike for place in group]
        return _groups(zip(pool.map(digest, left), left, strict=True))


def _or_unique(place: Place, find: Callable[[int], Hashable]) -> Hashable:
    try:
        return find(place.index)
    # A file that cannot be read equals no other; the error is shown when the image is needed.
    except OSError:
        return object()


def _groups(keyed: Iterable[tuple[Hashable, Place]]) -> list[list[Place]]:
    by_key: defaultdict[Hashable, list[Place]] = defaultdict(list)
    for key, place in keyed:
        by_key[key].append(place)
    return [group for group in by_key.values() if len(group) > 1]
