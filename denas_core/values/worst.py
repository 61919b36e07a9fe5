"""The samples on which a model is most wrong, as a report can show them."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

MOST_ANSWERS = 12
"""Answers that are kept."""

LONGEST_TEXT = 1500
"""Characters of a text that are kept."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswer:
    """A sample, what a model answered, and how wrong that is.

    Attributes:
        sample: How people find the sample, such as the name of a file, or the text that was read.
        expected: The right answer, as text; empty if the right answer is none.
        answered: The answer of the model; None if the model gives no answer in a training, only probabilities.
        errors: How wrong the answer is, 0 for a right one, in the unit of `worst_answers`.
    """

    sample: str
    expected: str
    answered: str | None
    errors: float

    @classmethod
    def of_labels(
        cls, expected: Tensor, answered: Tensor, labels: Sequence[str], sample: Callable[[int], str]
    ) -> Iterator[WrongAnswer]:
        """Yield the answers where a sample may have several labels; the errors are the labels that differ.

        Args:
            expected: Whether each sample has each label (samples, labels).
            answered: Whether the model says so.
            labels: Names of the labels.
            sample: Returns the name of a sample by its index.
        """
        for index, (truth, found) in enumerate(zip(expected.tolist(), answered.tolist(), strict=True)):
            yield cls(
                sample=sample(index),
                expected=_chosen(truth, labels),
                answered=_chosen(found, labels),
                errors=sum(one != other for one, other in zip(truth, found, strict=True)),
            )


def worst_answers(answers: Iterable[WrongAnswer], errors: str) -> dict[str, Any]:
    """Return the answers with the most errors, the worst first, for `Task.worst_answers`.

    Args:
        answers: The answer to each sample of a split, also the right ones.
        errors: What is counted, such as ``wrong words``.

    Returns:
        ``errors``; ``samples`` and ``wrong``, the number of all answers and of those with errors; ``answers``: up to 12
        with errors, each with ``sample``, ``expected``, ``answered`` and ``errors``. Texts longer than 1,500 characters
        are cut.
    """
    every = [one for one in answers if math.isfinite(one.errors)]
    wrong = [(one.errors, -place) for place, one in enumerate(every) if one.errors > 0]
    # Of equally wrong answers, the first ones are kept.
    worst = [every[-place] for _, place in heapq.nlargest(MOST_ANSWERS, wrong)]
    return {
        "errors": errors,
        "samples": len(every),
        "wrong": len(wrong),
        "answers": [
            {
                "sample": _cut(one.sample),
                "expected": _cut(one.expected),
                "answered": None if one.answered is None else _cut(one.answered),
                "errors": float(one.errors),
            }
            for one in worst
        ],
    }


def _chosen(flags: Sequence[bool], labels: Sequence[str]) -> str:
    return ", ".join(str(label) for label, flag in zip(labels, flags, strict=True) if flag)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
