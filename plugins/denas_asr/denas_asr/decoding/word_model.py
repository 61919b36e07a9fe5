"""Combine a language model of words with symbols that are smaller than a word."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

from denas_core.errors import ConfigError, safe_repr

from .symbols import FIRST

SPACE_OF_PIECES = "\u2581"
"""The mark that SentencePiece uses for a space."""


class WordModel(Protocol):
    """A language model that reads a text word by word; its logarithms are natural."""

    def begin(self) -> Any:
        """Return the context of the first word."""

    def after(self, context: Any, word: str) -> tuple[float, Any]:
        """Return the log-probability of a word in its context, and the context of the next word."""

    def end(self, context: Any) -> float:
        """Return the log-probability that the text ends here."""


@dataclasses.dataclass(frozen=True, slots=True)
class Writing:
    """The state of a language model after the symbols written so far.

    Attributes:
        score: Score of the finished words.
        context: Context of the current word.
        word: The current, unfinished word; empty if there is none.
        closing: Score that finishing the current word adds.
        closed: Context after the current word.
    """

    score: float
    context: Any
    word: str
    closing: float
    closed: Any


class WordFusion:
    """Adds the score of a language model of words wherever a word ends.

    A text's score grows by ``weight * log p(its words, then its end) + bonus * number of its words`` (Hannun et al.
    2014, arXiv:1408.2873, section 3, in logarithms). A symbol that begins with a space closes the word before it; the
    end of the text closes the last word. Spaces alone do not form a word.

    Attributes:
        bonus: Score added for each word.
        closes: For each symbol, whether it closes the current word.
    """

    def __init__(self, model: WordModel, pieces: Sequence[str], *, weight: float, bonus: float) -> None:
        """Make a scorer.

        Args:
            model: The language model.
            pieces: Text of each symbol of the vocabulary; at the beginning of a word it starts with a space or
                SentencePiece's mark for one. The texts of special symbols are not used.
            weight: Weight of the model's log-probability.
            bonus: Score added for each word.

        Raises:
            ConfigError: the symbols do not show where words begin.
        """
        texts = [piece.replace(SPACE_OF_PIECES, " ") for piece in pieces]
        self.closes = [number >= FIRST and text.startswith(" ") for number, text in enumerate(texts)]
        if not any(self.closes):
            raise ConfigError(
                "no symbol of the vocabulary begins with a space, so lm cannot find the words; decode without lm"
            )
        wide = next((text for text in texts[FIRST:] if " " in text[1:]), None)
        if wide is not None:
            raise ConfigError(
                f"symbol {safe_repr(wide)} of the vocabulary has a space after its first character, so lm cannot find "
                f"the words; use a vocabulary of characters or of pieces of words"
            )
        self.bonus = bonus
        self._letters = [text.removeprefix(" ") for text in texts]
        self._model = model
        self._weight = weight

    def begin(self) -> Writing:
        """Return the state for an empty text."""
        return self._opened(0.0, self._model.begin(), "")

    def after(self, writing: Writing, symbol: int) -> Writing:
        """Return the state after one more symbol."""
        letters = self._letters[symbol]
        if self.closes[symbol]:
            return self._opened(writing.score + writing.closing, writing.closed, letters)
        return self._opened(writing.score, writing.context, writing.word + letters)

    def end(self, writing: Writing) -> float:
        """Return the score that the end of the text adds."""
        return writing.closing + self._weight * self._model.end(writing.closed)

    def _opened(self, score: float, context: Any, word: str) -> Writing:
        if not word:
            return Writing(score, context, word, 0.0, context)
        log_prob, closed = self._model.after(context, word)
        return Writing(score, context, word, self._weight * log_prob + self.bonus, closed)
