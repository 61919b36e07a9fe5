"""Compare answers by the official exact match and F1 (Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Return a text in lower case with single spaces, without ASCII punctuation and articles."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(found: str, answer: str) -> float:
    """Return 1 if two texts are equal after normalisation, otherwise 0."""
    return float(normalised(found) == normalised(answer))


def f1(found: str, answer: str) -> float:
    """Return the harmonic mean of precision and recall of the words of a normalised answer."""
    ours, theirs = normalised(found).split(), normalised(answer).split()
    shared = (Counter(ours) & Counter(theirs)).total()
    return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0


def measured(pairs: Iterable[tuple[str, Sequence[str]]]) -> dict[str, float]:
    """Return the means of ``f1`` and ``exact_match`` over questions; each question uses its best-matching answer.

    Args:
        pairs: For each question, the predicted answer and the correct answers.
    """
    totals = {"f1": 0.0, "exact_match": 0.0}
    count = 0
    for found, answers in pairs:
        count += 1
        totals["f1"] += max(f1(found, answer) for answer in answers)
        totals["exact_match"] += max(exact_match(found, answer) for answer in answers)
    return {name: total / count for name, total in totals.items()}
