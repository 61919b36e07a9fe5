"""Word and character error rates: edits in all utterances, divided by the words or characters of the references."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiwer import CharacterOutput, WordOutput


@dataclasses.dataclass(frozen=True, slots=True)
class Errors:
    """Counts of the edits from references to hypotheses, summed over utterances.

    Attributes:
        substitutions: Words or characters that were replaced by others.
        deletions: Words or characters missing in the hypotheses.
        insertions: Words or characters missing in the references.
        said: Number of words or characters in the references.
    """

    substitutions: int
    deletions: int
    insertions: int
    said: int

    @property
    def rate(self) -> float:
        """Edits divided by `said`; it can exceed 1. If `said` is 0, it is the number of insertions."""
        return (self.substitutions + self.deletions + self.insertions) / max(1, self.said)


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count word errors; words are separated by white space and must be exactly equal.

    Args:
        references: The correct text of each utterance; it may be empty.
        hypotheses: The recognised texts in the same order.
    """
    return _errors(_compare_words(references, hypotheses))


def word_errors_by_utterance(references: Sequence[str], hypotheses: Sequence[str]) -> list[int]:
    """Return the number of word errors of each utterance; the arguments are those of `word_errors`."""
    return [
        sum(
            max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
            for chunk in chunks
            if chunk.type != "equal"
        )
        for chunks in _compare_words(references, hypotheses).alignments
    ]


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count character errors; a space is a character like any other, and no space is removed.

    Args:
        references: The correct text of each utterance; it may be empty.
        hypotheses: The recognised texts in the same order.
    """
    import jiwer

    as_characters = jiwer.ReduceToListOfListOfChars()
    return _errors(jiwer.process_characters(list(references), list(hypotheses), as_characters, as_characters))


def _compare_words(references: Sequence[str], hypotheses: Sequence[str]) -> WordOutput:
    import jiwer

    said, understood = ([" ".join(text.split()) for text in texts] for texts in (references, hypotheses))
    as_words = jiwer.ReduceToListOfListOfWords()
    return jiwer.process_words(said, understood, as_words, as_words)


def _errors(found: WordOutput | CharacterOutput) -> Errors:
    return Errors(
        substitutions=found.substitutions,
        deletions=found.deletions,
        insertions=found.insertions,
        said=found.hits + found.substitutions + found.deletions,
    )
