"""One text that may have been spoken."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may have been said, with the logarithm of how likely it is, or of a product of such.

    Attributes:
        symbols: Symbols of the vocabulary, without special ones.
        score: Natural logarithm; larger is better.
    """

    symbols: tuple[int, ...]
    score: float
