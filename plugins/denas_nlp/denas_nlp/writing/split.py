"""Pairs of texts as samples of tokens."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Sequence

from denas_nlp.language.token_split import TokenSplit, token_counts
from denas_nlp.text.batches import Rows, TextSample
from denas_nlp.text.task import Preparation
from denas_nlp.text.tokenizer import TextTokenizer

from .pairs import Pair


class PairSplit(TokenSplit):
    """Pairs of texts. The targets of a sample are the tokens of the text that is written.

    Attributes:
        pairs: The pairs.
        tokenizer: The tokenizer, as text, for the texts that networks write.
        longest: Greatest number of tokens of a text to write that networks take; None if there is no limit.
        cut: Number of texts that were too long.
        unknown: Number of tokens that are not in the vocabulary.
        tokens: Number of all tokens.
    """

    def __init__(self, pairs: Sequence[Pair], preparation: Preparation, *, longest: int) -> None:
        """Tokenise the pairs; a text to write has at most `longest` tokens, or as many as there are positions."""
        self._form, self._sources, self._targets = preparation.form, Rows(), Rows()
        self.pairs = tuple(pairs)
        self.tokenizer = preparation.tokenizer.text
        self.longest = preparation.positions
        most_written = min(longest, preparation.positions or longest)
        self.unigram: array[float] = array("d")
        self.cut = self.unknown = self.tokens = 0
        for pair in pairs:
            for text, rows, most in (
                (pair.source, self._sources, preparation.max_length),
                (pair.target, self._targets, most_written),
            ):
                self._append(rows, text, preparation.tokenizer, most)

    def _append(self, rows: Rows, text: str, tokenizer: TextTokenizer, most: int) -> None:
        ids = tokenizer.tokens(text).ids
        frame = tokenizer.single
        is_open = tokenizer.end is not None and frame.special[-1][-1:] != array("i", [tokenizer.end])
        room = most - frame.length - is_open
        self.unknown += tokenizer.unknown(ids)
        self.tokens += len(ids)
        self.cut += len(ids) > room
        whole, segments = frame.around(ids[:room])
        if is_open and tokenizer.end is not None:
            whole.append(tokenizer.end)
            segments.append(0)
        rows.append(whole, segments)

    def counts(self, size: int) -> list[int]:
        """Return how often each of `size` tokens occurs in the texts that are written."""
        return token_counts(self.predicted, size)

    @property
    def predicted(self) -> Iterable[int]:
        """All tokens of the texts that are written."""
        return (token for index in range(len(self._targets)) for token in self._targets[index][0])

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._sources)

    def length(self, index: int) -> float:
        """Return the number of tokens of both texts."""
        return float(self._sources.length(index) + self._targets.length(index))

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one pair; texts are not augmented."""
        ids, segments = self._sources[index]
        target = tuple(map(float, self._targets[index][0]))
        return TextSample(ids=ids, segments=segments, targets=target, form=self._form)
