"""Samples whose tokens are predicted, compared with a unigram model of the training text."""

from __future__ import annotations

import functools
from abc import abstractmethod
from array import array
from collections.abc import Iterable

from denas_core import Split
from denas_nlp.text.batches import TextSample

from .scores import unigram_perplexity


class TokenSplit(Split[TextSample]):
    """Samples whose tokens are predicted.

    Attributes:
        unigram: The logarithm of the probability of each token in the unigram model of the training text.
    """

    unigram: array[float]

    @property
    @abstractmethod
    def predicted(self) -> Iterable[int]:
        """All tokens that are predicted."""

    @abstractmethod
    def counts(self, size: int) -> list[int]:
        """Return how often each of `size` tokens occurs, for the unigram model."""

    @functools.cached_property
    def unigram_perplexity(self) -> float:
        """The perplexity of the unigram model on the tokens that are predicted."""
        return unigram_perplexity(self.predicted, self.unigram)


def token_counts(tokens: Iterable[int], size: int) -> list[int]:
    """Return how often each of `size` tokens occurs."""
    counts = [0] * size
    for token in tokens:
        counts[token] += 1
    return counts
