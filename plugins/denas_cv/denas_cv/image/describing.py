"""Describe a data set of images from names of files and a few hundred headers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from denas_core import DataDescription, derive_rng
from denas_core.errors import ConfigError

from . import folder
from .formats import NotImages, list_images, open_images
from .images import FileSource, Images, ImageSize, ImageSource, classes_of
from .tables.columns import Columns
from .tables.reader import KIND as TABLE

SIZED = 200
"""Number of images whose size is read."""

MOST_COMPARED = 5_000
"""Number of image files up to which a description compares them; a training compares more."""

READERS = 8
MUCH_LARGER = 2
LONGEST_LIST = 80

IMAGE_SIZES = (32, 64, 96, 128, 160, 224)
"""Sizes of a network's input to choose from. All networks of the spaces of this plugin take them."""

LARGEST_OF_FEW, MANY = 96, 20_000
"""Largest size that is proposed for fewer than `MANY` training images: larger inputs cost time and gain little."""

FORMATS = {
    folder.KIND: "folders of images, one for each class",
    TABLE: "a table of paths and labels of images",
}


def describe_images(
    path: Path, *, multiple: bool, subset: str, columns: Columns, valid_share: float
) -> DataDescription | None:
    """Return what the images at `path` are; None if they are no images, or have no labels of the kind that is wanted.

    Args:
        path: The data set.
        multiple: Whether images are wanted that have several labels or none.
        subset: See `open_images`.
        columns: See `open_images`.
        valid_share: See `open_images`.

    Raises:
        ConfigError: they cannot be read for a training.
    """
    if not path.exists():
        return None
    try:
        listed = list_images(path, subset=subset, columns=columns)
        if listed.multiple != multiple:
            return None
        images = open_images(
            path,
            multiple=multiple,
            subset=subset,
            columns=columns,
            valid_share=valid_share,
            most_compared=MOST_COMPARED,
        )
    except NotImages:
        return None
    samples = {}
    if listed.train is not None:
        samples["train"] = len(listed.train)
    if listed.valid is not None:
        samples["valid"] = len(listed.valid)
        tested = _tested(listed, path, subset, columns)
        samples |= {"test": tested} if tested else {}
    assert listed.train is not None, "open_images would have refused it"
    counts = sorted(classes_of(listed.train).items(), key=lambda pair: -pair[1])
    sizes = sizes_of(listed.train)
    size = proposed_size(sizes, len(listed.train))
    return DataDescription(
        format=FORMATS.get(listed.kind, listed.kind),
        samples=samples,
        labels={listed.labels[label]: count for label, count in counts},
        facts={"size": describe_sizes(sizes)}
        | ({"labels of an image": _labels_each(listed)} if multiple else {}),
        space_options={
            "classes": len(listed.labels),
            "channels": 1 if sizes and all(each.is_grey for each in sizes) else 3,
            "image_size": size,
        },
        spaces=proposed_spaces(size, len(listed.train)),
        notices=images.notices,
    )


def sizes_of(source: ImageSource) -> list[ImageSize]:
    """Return the sizes of at most `SIZED` images; images that cannot be read are left out."""
    chosen = sorted(derive_rng(0, "sized images").sample(range(len(source)), min(len(source), SIZED)))

    def size(index: int) -> ImageSize | None:
        try:
            return source.size(index)
        except ConfigError:
            return None

    with ThreadPoolExecutor(READERS) as pool:
        return [found for found in pool.map(size, chosen) if found is not None]


def describe_sizes(sizes: Sequence[ImageSize]) -> str:
    """Return the median size as text, and the range if there is one."""
    if not sizes:
        return "unknown: no image can be read"
    widths, heights = [each.width for each in sizes], [each.height for each in sizes]
    median = f"{statistics.median_low(widths)} x {statistics.median_low(heights)} pixels"
    sides = [min(each.width, each.height) for each in sizes]
    if len({(each.width, each.height) for each in sizes}) == 1:
        return median
    return f"{median} (median; shorter sides from {min(sides)} to {max(sides)})"


def too_large(sizes: Sequence[ImageSize], seen: int, samples: int) -> list[str]:
    """Return a warning if images are much larger than what a network sees of them.

    Args:
        sizes: The sizes of some images.
        seen: Height and width of the network's input.
        samples: Number of training images.
    """
    proposed = proposed_size(sizes, samples)
    if median_side(sizes) < MUCH_LARGER * seen or proposed <= seen:
        return []
    return [
        f"the images are {describe_sizes(sizes)}, and the network sees only {seen} x {seen} of them: small details are "
        f"lost; a search with --set space.image_size={proposed} finds networks that see more"
    ]


def shorten(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= LONGEST_LIST else f"{text[:LONGEST_LIST]}..."


def median_side(sizes: Sequence[ImageSize]) -> int:
    """Return the median of the shorter sides; 0 without sizes."""
    return statistics.median_low(min(each.width, each.height) for each in sizes) if sizes else 0


def proposed_size(sizes: Sequence[ImageSize], samples: int) -> int:
    """Return the size that suits the images: the nearest one of `IMAGE_SIZES` by ratio, limited for few images."""
    side = max(median_side(sizes), 1)
    allowed = [size for size in IMAGE_SIZES if size <= LARGEST_OF_FEW or samples >= MANY]
    return min(allowed, key=lambda size: max(size / side, side / size))


def proposed_spaces(size: int, samples: int) -> tuple[str, ...]:
    """Return the names of spaces, the best first: compact ones for small data."""
    if samples < MANY:
        return ("cv/cnn:micro", "cv/vit:micro")
    return (
        ("cv/cnn:cifar", "cv/cnn:micro", "cv/vit:micro")
        if size <= LARGEST_OF_FEW
        else ("cv/cnn:imagenet", "cv/cnn:micro")
    )


def _tested(listed: Images, path: Path, subset: str, columns: Columns) -> int:
    """Return the number of test images; 0 if those for validation are the only ones."""
    if not isinstance(listed.valid, FileSource):
        return 0
    other = list_images(path, to_evaluate=True, subset=subset, columns=columns).valid
    is_other = isinstance(other, FileSource) and other.paths != listed.valid.paths
    return len(other) if other is not None and is_other else 0


def _labels_each(images: Images) -> str:
    assert images.train is not None
    counts = [len(label) for label in images.train.labels if not isinstance(label, int)]
    return f"{statistics.fmean(counts):.1f} on average, at most {max(counts)}"
