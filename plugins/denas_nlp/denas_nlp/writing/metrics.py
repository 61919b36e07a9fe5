"""How similar texts that were written are to those that were wanted."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence


def text_metrics(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """Return the share of texts that are equal, and the mean F1 of their words.

    White space does not count. The F1 of a text is the harmonic mean of two shares: of its words that are wanted, and
    of the wanted words that it has.
    """
    pairs = [(one.split(), other.split()) for one, other in zip(found, wanted, strict=True)]
    return {
        "exact_match": statistics.fmean(one == other for one, other in pairs),
        "word_f1": statistics.fmean(_f1(one, other) for one, other in pairs),
    }


def _f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    common = (Counter(found) & Counter(wanted)).total()
    return 2 * common / (len(found) + len(wanted)) if found or wanted else 1.0
