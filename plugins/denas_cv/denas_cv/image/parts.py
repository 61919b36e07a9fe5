"""Names of the parts of a data set: training, validation and test."""

from __future__ import annotations

import re

TRAIN = ("train", "training")
VALID = ("val", "valid", "validation")
TEST = ("test", "testing")

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def part_of(name: str) -> str | None:
    """Return ``train``, ``val`` or ``test`` if one of these words is in a name such as ``trainLabels.csv``."""
    for word in _WORD.findall(name):
        for words in (TRAIN, (*VALID, "dev", "development"), TEST):
            if word.lower() in words:
                return words[0]
    return None
