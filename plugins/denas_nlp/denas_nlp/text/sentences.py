"""Sentences and pairs of sentences as samples of tokens."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from denas_core import Outputs, Split, WrongAnswer

from .batches import Rows, TextSample
from .task import Preparation, unknown_notice

if TYPE_CHECKING:
    from torch import Tensor

RECIPE: Final[Mapping[str, Any]] = {
    "epochs": 3,
    "batch_size": 32,
    "optimizer": "adamw",
    "lr": 5e-5,
    "weight_decay": 0.01,
    "schedule": "linear",
    "warmup": 0.1,
    "clip": 1.0,
}
"""Training settings that suit the classification of sentences and of tokens."""


class Row(NamedTuple):
    """A sentence or a pair of sentences.

    Attributes:
        texts: The sentence, or the two sentences of a pair.
        target: The number of its label, its score, or a 0 or 1 for each of several labels.
    """

    texts: tuple[str, ...]
    target: float | tuple[float, ...]

    @property
    def number(self) -> float:
        """The number of the label of a sentence with one label, or its score."""
        return self.target[0] if isinstance(self.target, tuple) else self.target


class SentenceSplit(Split[TextSample]):
    """Sentences or pairs of sentences as tokens.

    Attributes:
        cut: Number of samples that were too long and were shortened.
        unknown: Number of tokens that are not in the vocabulary.
        tokens: Number of all tokens of the sentences.
        texts: The sentences as texts, if a task keeps them to show its worst answers.
    """

    texts: Sequence[tuple[str, ...]] = ()

    def __init__(self, rows: Sequence[Row], preparation: Preparation) -> None:
        """Tokenise every row."""
        self._form = preparation.form
        targets = [row.target if isinstance(row.target, tuple) else (row.target,) for row in rows]
        self._width = len(targets[0]) if targets else 1
        self._targets = array("f", [value for target in targets for value in target])
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

    def name(self, index: int) -> str:
        """Return the text of one row, or both texts of a pair."""
        return " | ".join(self.texts[index])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def length(self, index: int) -> float:
        """Return the number of tokens of one row."""
        return float(self._rows.length(index))

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one row; texts are not augmented."""
        ids, segments = self._rows[index]
        targets = tuple(self._targets[index * self._width : (index + 1) * self._width])
        return TextSample(ids=ids, segments=segments, targets=targets, form=self._form)


def kept(first: int, second: int | None = None, *, room: int) -> tuple[int, ...]:
    """Return how many tokens of one or two texts to keep so that they fit into `room`; the longer text is cut first."""
    if second is None:
        return (min(first, room),)
    head = min(first, max(room - second, room - room // 2))
    return head, min(second, room - head)


def sentence_notices(splits: Sequence[SentenceSplit], max_length: int) -> tuple[str, ...]:
    """Return notices about samples that are cut, and about tokens that are not in the vocabulary."""
    cut, rows = sum(split.cut for split in splits), sum(map(len, splits))
    notice = f"{cut} of {rows} samples have more than {max_length} tokens and are cut (task.max_length)"
    unknown, tokens = (sum(values) for values in zip(*((s.unknown, s.tokens) for s in splits), strict=True))
    return (*((notice,) if cut else ()), *unknown_notice(unknown, tokens))


def logits_of(outputs: Outputs) -> Tensor:
    """Return the logits of a network with one output, in float32."""
    return next(iter(outputs.logits.values())).float()


def scored_answers(
    split: SentenceSplit, wanted: Sequence[float], found: Sequence[float]
) -> Iterator[WrongAnswer]:
    """Yield the answers where a text has a number; the error is the difference of both numbers."""
    for index, (right, given) in enumerate(zip(wanted, found, strict=True)):
        yield WrongAnswer(
            sample=split.name(index),
            expected=f"{right:.6g}",
            answered=f"{given:.6g}",
            errors=abs(right - given),
        )
