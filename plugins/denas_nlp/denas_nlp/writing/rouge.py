"""ROUGE: words and sequences of words that two texts have in common.

The definitions are those of Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"
(aclanthology.org/W04-1013), sections 2 and 3.1, with equal weights of precision and recall. The numbers are those of
the library rouge-score 0.1.2 without stemming. That library takes only the letters a to z as letters; here those of all
scripts are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")


def rouge(found: str, wanted: str) -> dict[str, float]:
    """Return the F1 of single words, of pairs of neighbours, and of the longest common sequence of words.

    Args:
        found: The text that was written.
        wanted: The right text.
    """
    ours, theirs = words_of(found), words_of(wanted)
    return {
        "rouge1": _of_runs(ours, theirs, 1),
        "rouge2": _of_runs(ours, theirs, 2),
        "rouge_l": _f1(longest_common(ours, theirs), len(ours), len(theirs)),
    }


def words_of(text: str) -> list[str]:
    """Return runs of letters and digits in lower case."""
    return _WORD.findall(text.lower())


def longest_common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the length of the longest sequence of words that both texts have in this order, with gaps or without."""
    above = [0] * (len(theirs) + 1)
    for word in ours:
        row = [0]
        for place, other in enumerate(theirs):
            row.append(above[place] + 1 if word == other else max(above[place + 1], row[place]))
        above = row
    return above[-1]


def _of_runs(ours: Sequence[str], theirs: Sequence[str], length: int) -> float:
    first, second = _runs(ours, length), _runs(theirs, length)
    return _f1((first & second).total(), first.total(), second.total())


def _runs(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[place : place + length]) for place in range(len(words) - length + 1))


def _f1(common: int, ours: int, theirs: int) -> float:
    return 2 * common / (ours + theirs) if common else 0.0
