"""Rows of a table as samples of tokens."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from denas_core import Split
from denas_nlp.text.batches import Rows, TextSample
from denas_nlp.text.task import Preparation

from .table import Row


class SentenceSplit(Split[TextSample]):
    """Sentences or pairs of sentences as tokens.

    Attributes:
        cut: Number of samples that were too long and were shortened.
        unknown: Number of tokens that are not in the vocabulary.
        tokens: Number of all tokens of the sentences.
    """

    def __init__(self, rows: Sequence[Row], preparation: Preparation) -> None:
        """Tokenise every row."""
        self._form = preparation.form
        self._targets = array("d", [row.target for row in rows])
        self._rows = Rows()
        self.cut = self.unknown = self.tokens = 0
        for row in rows:
            self._append(row, preparation)

    def _append(self, row: Row, preparation: Preparation) -> None:
        tokenizer = preparation.tokenizer
        texts = [tokenizer.tokens(text).ids for text in row.texts]
        frame = tokenizer.single if len(texts) == 1 else tokenizer.pair
        room = preparation.max_length - frame.length
        self.unknown += sum(map(tokenizer.unknown, texts))
        self.tokens += sum(map(len, texts))
        if sum(map(len, texts)) > room:
            self.cut += 1
            lengths = kept(*map(len, texts), room=room)
            texts = [text[:length] for text, length in zip(texts, lengths, strict=True)]
        ids, segments = frame.around(*texts)
        if not ids:
            # A network needs at least one token.
            ids, segments = array("i", [tokenizer.pad]), array("b", [0])
        self._rows.append(ids, segments)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def length(self, index: int) -> float:
        """Return the number of tokens of one row."""
        return float(self._rows.length(index))

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one row; texts are not augmented."""
        ids, segments = self._rows[index]
        return TextSample(ids=ids, segments=segments, targets=(self._targets[index],), form=self._form)


def kept(first: int, second: int = 0, *, room: int) -> tuple[int, ...]:
    """Return how many tokens of one or two texts to keep so that they fit into `room`; the longer text is cut first."""
    if not second:
        return (min(first, room),)
    head = min(first, max(room - second, room - room // 2))
    return head, min(second, room - head)
