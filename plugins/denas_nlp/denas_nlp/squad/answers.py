"""Compare answers by the official exact match and F1 (Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from denas_core import WrongAnswer

from .questions import Question

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

    If there are questions without an answer, both are also given for those with an answer, and ``no_answer`` is the
    share of the others for which no answer was predicted, as in SQuAD 2.0 (Rajpurkar et al. 2018, arXiv:1806.03822).

    Args:
        pairs: For each question, the predicted answer and the correct answers; empty if it has no answer.
    """
    answered: list[tuple[float, float]] = []
    empty: list[float] = []
    for found, answers in pairs:
        if answers:
            answered.append(
                (max(f1(found, each) for each in answers), max(exact_match(found, each) for each in answers))
            )
        else:
            empty.append(float(not normalised(found)))
    count, right = len(answered) + len(empty), sum(empty)
    overlaps, matches = sum(each for each, _ in answered), sum(each for _, each in answered)
    totals = {"f1": (overlaps + right) / count, "exact_match": (matches + right) / count}
    if not empty:
        return totals
    totals["no_answer"] = right / len(empty)
    if answered:
        totals["has_answer_f1"] = overlaps / len(answered)
        totals["has_answer_exact_match"] = matches / len(answered)
    return totals


def wrong_answer(question: Question, found: str) -> WrongAnswer:
    """Return an answer beside the correct one that is nearest to it; the errors are the words in which they differ."""
    nearest = min(question.answers or ("",), key=lambda answer: differing_words(found, answer))
    return WrongAnswer(
        sample=question.text,
        expected=nearest,
        answered=found,
        errors=differing_words(found, nearest),
    )


def differing_words(found: str, answer: str) -> int:
    """Return how many words of two normalised answers are in only one of them."""
    ours, theirs = Counter(normalised(found).split()), Counter(normalised(answer).split())
    return (ours - theirs).total() + (theirs - ours).total()
