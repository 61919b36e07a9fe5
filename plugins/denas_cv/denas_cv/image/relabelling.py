"""Match the labels of a data set with those of a trained network, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_core.errors import ConfigError, did_you_mean

from .classes import KnownClasses
from .images import Images, ImageSource, Label, classes_of

SEVERAL_LABELS = (
    "gives some images several labels or none; use --task cv/image-multilabel, or name another column (task.label) or "
    "how cells are read (task.separator=none: one label each)"
)
"""Why data are refused that need a task with sets of labels."""


def relabelled(images: Images, known: Sequence[str], data: Path) -> tuple[ImageSource, list[str]]:
    """Return the validation images with the class numbers of a trained network, and notices.

    Args:
        images: A data set with validation images.
        known: The classes of the network.
        data: Where the data set is, for errors.

    Raises:
        ConfigError: an image has a class that the network does not know.
    """
    assert images.valid is not None
    classes = KnownClasses(known)
    numbers: dict[int, int] = {}
    for label in classes_of(images.valid):
        number = classes.number(images.labels[label])
        if number is None:
            raise ConfigError(
                f"{str(data)!r} has images of the class {images.labels[label]!r}, which the network was not trained for"
                f"{did_you_mean(images.labels[label], known)}"
            )
        numbers[label] = number
    source = images.valid
    labels: list[Label] = [
        numbers[label] if isinstance(label, int) else tuple(sorted(numbers[each] for each in label))
        for label in source.labels
    ]
    return source.part(range(len(source)), labels), classes.notices()
