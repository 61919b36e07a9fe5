"""Word and character error rates: edits of all utterances, over the words or characters that were said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiwer import CharacterOutput, WordOutput


@dataclasses.dataclass(frozen=True, slots=True)
class Errors:
    """Edits from what was said to what was understood, summed over utterances.

    Attributes:
        substitutions: Words or characters taken for others.
        deletions: Those not heard.
        insertions: Those never said.
        said: How many there are in the references.
    """

    substitutions: int
    deletions: int
    insertions: int
    said: int

    @property
    def rate(self) -> float:
        """Edits over what was said; more than 1 is possible. If nothing was said: the number of insertions."""
        return (self.substitutions + self.deletions + self.insertions) / max(1, self.said)


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count word errors; words are what white space separates, compared letter by letter.

    Args:
        references: What was said in each utterance; may be empty.
        hypotheses: What was understood, in the same order.
    """
    import jiwer

    said, understood = ([" ".join(text.split()) for text in texts] for texts in (references, hypotheses))
    as_words = jiwer.ReduceToListOfListOfWords()
    return _errors(jiwer.process_words(said, understood, as_words, as_words))


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> Errors:
    """Count character errors; a space is a character like any other, and nothing is stripped.

    Args:
        references: What was said in each utterance; may be empty.
        hypotheses: What was understood, in the same order.
    """
    import jiwer

    as_characters = jiwer.ReduceToListOfListOfChars()
    return _errors(jiwer.process_characters(list(references), list(hypotheses), as_characters, as_characters))


def _errors(found: WordOutput | CharacterOutput) -> Errors:
    return Errors(
        substitutions=found.substitutions,
        deletions=found.deletions,
        insertions=found.insertions,
        said=found.hits + found.substitutions + found.deletions,
    )
