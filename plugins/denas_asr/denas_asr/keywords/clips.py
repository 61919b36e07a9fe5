"""Clips, and the lists of clips that a data set consists of."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

SILENCE = "silence"
"""Label of clips of background noise."""

UNKNOWN = "unknown"
"""Label of words that are not to be told apart."""

PARTS = {
    "train": ("train", "training"),
    "valid": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
"""Names of the parts of a data set, in lower case."""


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A recording of one word.

    Attributes:
        audio: The audio file.
        label: The word.
        start: The second at which the clip begins; None if it is the loudest part of the file.
    """

    audio: str
    label: str
    start: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipData:
    """The clips of a data set.

    Attributes:
        train: Clips to train on; empty if there are none.
        valid: Clips to choose the best model by; empty if there are none.
        test: Clips to measure the final model on; empty if there are none.
        noise: Files of background noise.
        notices: Sentences for the user, such as what is not read.
        format: What the data are, in words.
    """

    train: Sequence[Clip]
    valid: Sequence[Clip] = ()
    test: Sequence[Clip] = ()
    noise: Sequence[str] = ()
    notices: Sequence[str] = ()
    format: str = "folders of recordings, one for each word"

    @property
    def labels(self) -> dict[str, int]:
        """Number of clips by label, in the order of the labels."""
        counts = Counter(clip.label for part in (self.train, self.valid, self.test) for clip in part)
        return dict(sorted(counts.items()))
