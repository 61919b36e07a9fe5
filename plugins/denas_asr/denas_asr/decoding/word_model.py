"""Language models that know words, beside symbols that are less than a word."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

from denas_core.errors import ConfigError, safe_repr

from .symbols import FIRST

SPACE_OF_PIECES = "\u2581"
"""What SentencePiece has for a space."""


class WordModel(Protocol):
    """A language model that reads a text word by word; logarithms are natural ones."""

    def begin(self) -> Any:
        """Return the context of the first word."""

    def after(self, context: Any, word: str) -> tuple[float, Any]:
        """Return the log-probability of a word in its context, and the context of the next."""

    def end(self, context: Any) -> float:
        """Return the log-probability that the text ends here."""


@dataclasses.dataclass(frozen=True, slots=True)
class Writing:
    """What a language model makes of the symbols written so far.

    Attributes:
        score: What the words that are closed have added.
        context: Context of the word that is open.
        word: That word; empty where none is open.
        closing: What closing it adds.
        closed: Context behind it.
    """

    score: float
    context: Any
    word: str
    closing: float
    closed: Any


class WordFusion:
    """Adds a language model of words to the score of symbols, wherever a word ends.

    A text gets ``weight * log p(its words, then its end) + bonus * number of its words`` (Hannun et al. 2014,
    arXiv:1408.2873, section 3, in logarithms). A symbol that begins with a space closes the word before it; the end of
    the text closes the last one. Spaces alone are no word.

    Attributes:
        bonus: For each word.
        closes: For each symbol, whether it closes an open word.
    """

    def __init__(self, model: WordModel, pieces: Sequence[str], *, weight: float, bonus: float) -> None:
        """Make a scorer.

        Args:
            model: The language model.
            pieces: Text of each symbol of the vocabulary, with a space or SentencePiece's mark for it where a word
                begins. Those of special symbols do not count.
            weight: Of the model's log-probability.
            bonus: For each word.

        Raises:
            ConfigError: words cannot be told in the symbols.
        """
        texts = [piece.replace(SPACE_OF_PIECES, " ") for piece in pieces]
        self.closes = [number >= FIRST and text.startswith(" ") for number, text in enumerate(texts)]
        if not any(self.closes):
            raise ConfigError(
                "no symbol of the vocabulary begins with a space, so that lm cannot tell words: decode without lm"
            )
        wide = next((text for text in texts[FIRST:] if " " in text[1:]), None)
        if wide is not None:
            raise ConfigError(
                f"symbol {safe_repr(wide)} of the vocabulary has a space behind its beginning, so that lm cannot tell "
                f"words: take a vocabulary of characters, or of pieces of words"
            )
        self.bonus = bonus
        self._letters = [text.removeprefix(" ") for text in texts]
        self._model = model
        self._weight = weight

    def begin(self) -> Writing:
        """Return what the model makes of nothing."""
        return self._opened(0.0, self._model.begin(), "")

    def after(self, writing: Writing, symbol: int) -> Writing:
        """Return what it makes of one symbol more."""
        letters = self._letters[symbol]
        if self.closes[symbol]:
            return self._opened(writing.score + writing.closing, writing.closed, letters)
        return self._opened(writing.score, writing.context, writing.word + letters)

    def end(self, writing: Writing) -> float:
        """Return what the end of the text adds."""
        return writing.closing + self._weight * self._model.end(writing.closed)

    def _opened(self, score: float, context: Any, word: str) -> Writing:
        if not word:
            return Writing(score, context, word, 0.0, context)
        log_prob, closed = self._model.after(context, word)
        return Writing(score, context, word, self._weight * log_prob + self.bonus, closed)
