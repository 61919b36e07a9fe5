"""When an answer is right: the official exact match and F1 (Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Return a text in lower case, without punctuation of ASCII and articles, with single spaces."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(found: str, answer: str) -> float:
    """Return 1 if two texts are the same when normalised, else 0."""
    return float(normalised(found) == normalised(answer))


def f1(found: str, answer: str) -> float:
    """Return the harmonic mean of precision and recall of the words of a normalised answer."""
    ours, theirs = normalised(found).split(), normalised(answer).split()
    shared = (Counter(ours) & Counter(theirs)).total()
    return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0


def measured(pairs: Iterable[tuple[str, Sequence[str]]]) -> dict[str, float]:
    """Return ``f1`` and ``exact_match``, mean over questions; for each the answer counts that suits best.

    Args:
        pairs: For each question what was found, and its answers.
    """
    totals = {"f1": 0.0, "exact_match": 0.0}
    count = 0
    for found, answers in pairs:
        count += 1
        totals["f1"] += max(f1(found, answer) for answer in answers)
        totals["exact_match"] += max(exact_match(found, answer) for answer in answers)
    return {name: total / count for name, total in totals.items()}
