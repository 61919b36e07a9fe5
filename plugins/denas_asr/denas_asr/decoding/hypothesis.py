"""A possible transcript and its score."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Hypothesis:
    """A possible transcript with its score, a log-probability or a weighted sum of several.

    Attributes:
        symbols: Symbols of the vocabulary, without special symbols.
        score: Score in natural logarithms; larger is better.
    """

    symbols: tuple[int, ...]
    score: float
