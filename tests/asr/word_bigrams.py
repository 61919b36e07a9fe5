"""A language model of words that fits a screen, and what it adds to a text, worked out from the finished text."""

from __future__ import annotations

import math

from .enumerated import Text

PIECES = ("", "", "", " ", "a", "b")

BIGRAMS = {("<s>", "ab"): 0.5, ("ab", "a"): 0.4, ("a", "a"): 0.05, ("ab", "</s>"): 0.3, ("a", "</s>"): 0.2}
UNIGRAMS = {"a": 0.2, "b": 0.001, "ab": 0.1, "ba": 0.004, "</s>": 0.1}
UNKNOWN = 0.0005


class WordBigrams:
    """A model of pairs of words; its context is the word before."""

    def begin(self) -> str:
        return "<s>"

    def after(self, context: str, word: str) -> tuple[float, str]:
        return math.log(BIGRAMS.get((context, word), UNIGRAMS.get(word, UNKNOWN))), word

    def end(self, context: str) -> float:
        return self.after(context, "</s>")[0]


def fused(text: Text, *, weight: float, bonus: float) -> float:
    """Return what the model and the bonus add to a whole text."""
    words = "".join(PIECES[symbol] for symbol in text).split()
    pairs = zip(["<s>", *words], [*words, "</s>"], strict=True)
    model = WordBigrams()
    return weight * sum(model.after(*pair)[0] for pair in pairs) + bonus * len(words)
