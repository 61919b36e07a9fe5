"""Documents as samples: their tokens one after the other, in blocks of equal length."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator, Sequence

from denas_nlp.text.batches import TextSample
from denas_nlp.text.task import Preparation
from denas_nlp.text.tokenizer import TextTokenizer

from .token_split import TokenSplit, token_counts

_PIECE = 100_000
"""A longer document is tokenised in pieces of this many characters, because tokenizers need much memory for a text."""


class BlockSplit(TokenSplit):
    """Documents in blocks. The last token of a block is the first of the next, so that each token is predicted once.

    Attributes:
        tokens: Number of tokens.
        bytes: Number of bytes of the documents in UTF-8.
        unknown: Number of tokens that are not in the vocabulary.
        documents: Number of documents.
    """

    def __init__(self, documents: Sequence[str], preparation: Preparation) -> None:
        """Tokenise the documents."""
        self._form, self._length = preparation.form, preparation.max_length
        self._segments = array("b", [0]) * self._length
        self._ids = array("i")
        tokenizer = preparation.tokenizer
        for document in documents:
            self._ids += document_tokens(document, tokenizer)
        self.tokens = len(self._ids)
        self.bytes = sum(len(document.encode()) for document in documents)
        self.unknown = tokenizer.unknown(self._ids)
        self.documents = len(documents)
        self.unigram = array("d")

    def counts(self, size: int) -> list[int]:
        """Return how often each of `size` tokens occurs."""
        return token_counts(self._ids, size)

    @property
    def predicted(self) -> array[int]:
        """All tokens but the first."""
        return self._ids[1:]

    def __len__(self) -> int:
        """Return the number of blocks."""
        return max(math.ceil((len(self._ids) - 1) / (self._length - 1)), 0)

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one block; with `rng`, it begins up to half a block earlier or later."""
        start = index * (self._length - 1)
        if rng is not None:
            shift = rng.randint(-(self._length // 2), self._length // 2)
            start = min(max(start + shift, 0), max(len(self._ids) - self._length, 0))
        ids = self._ids[start : start + self._length]
        return TextSample(ids=ids, segments=self._segments[: len(ids)], targets=(), form=self._form)


def unigram_model(counts: Sequence[int]) -> array[float]:
    """Return the logarithm of the probability of each token: how often it occurs, plus one, among all of them."""
    total = math.log(sum(counts) + len(counts))
    return array("d", [math.log(count + 1) - total for count in counts])


def document_tokens(document: str, tokenizer: TextTokenizer) -> array[int]:
    """Return the tokens of a document with the special tokens around it, and the end token behind it."""
    text = array("i")
    for piece in _pieces(document):
        text += tokenizer.tokens(piece).ids
    ids, _ = tokenizer.single.around(text)
    if tokenizer.end is not None and (not ids or ids[-1] != tokenizer.end):
        ids.append(tokenizer.end)
    return ids


def _pieces(document: str) -> Iterator[str]:
    """Yield a document in pieces that end with a line feed, if there are any."""
    start = 0
    while start < len(document):
        stop = start + _PIECE
        line = document.rfind("\n", start, stop) + 1
        if stop < len(document) and line > start:
            stop = line
        yield document[start:stop]
        start = stop
