"""Sentences as samples of tokens; a sentence that is too long becomes several samples."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from denas_core import Split
from denas_nlp.text.batches import Rows, TextSample
from denas_nlp.text.task import Preparation
from denas_nlp.text.tokenizer import TextTokenizer, Tokens

IGNORED = -100
"""The target of a token that is not the first of its word, as PyTorch ignores it."""


class Piece(NamedTuple):
    """The part of a sentence that is one sample.

    Attributes:
        sentence: The number of the sentence.
        first: Its first word.
        places: The position of the first token of each word.
    """

    sentence: int
    first: int
    places: tuple[int, ...]


class TaggedSplit(Split[TextSample]):
    """Sentences of words with tags.

    Attributes:
        pieces: The samples.
        tags: The tags of each sentence.
        words: The words of each sentence, if worst answers are shown.
        labels: The names of the tags of a network, in the order of its outputs.
        text: The text of an input of the user.
        bounds: The first character and the end of each of its words.
        divided: Number of sentences that became several samples.
        shortened: Number of words that were too long for a sample alone.
        unknown: Number of tokens that are not in the vocabulary.
        tokens: Number of all tokens of the sentences.
    """

    def __init__(
        self,
        words: Sequence[Sequence[str]],
        targets: Sequence[Sequence[int]],
        tags: Sequence[Sequence[str]],
        preparation: Preparation,
    ) -> None:
        """Tokenise every sentence.

        Args:
            words: The words of each sentence.
            targets: The number of the tag of each word.
            tags: The tag of each word, with which predictions are compared.
            preparation: How samples are made.
        """
        self._form, self._rows, self._targets = preparation.form, Rows(), array("i")
        self._ends = array("q", [0])
        self.tags = [tuple(each) for each in tags]
        self.words: Sequence[Sequence[str]] = ()
        self.labels: list[str] = []
        self.text = ""
        self.bounds: list[tuple[int, int]] = []
        self.pieces: list[Piece] = []
        self.divided = self.shortened = self.unknown = self.tokens = 0
        for number, (sentence, wanted) in enumerate(zip(words, targets, strict=True)):
            self._append(number, sentence, wanted, preparation)

    def _append(
        self, number: int, words: Sequence[str], targets: Sequence[int], preparation: Preparation
    ) -> None:
        tokenizer, frame = preparation.tokenizer, preparation.tokenizer.single
        room = preparation.max_length - frame.length
        pieces = word_pieces_of(words, tokenizer)
        self.unknown += sum(map(tokenizer.unknown, pieces))
        self.tokens += sum(map(len, pieces))
        self.shortened += sum(len(piece) > room for piece in pieces)
        pieces = [piece[:room] for piece in pieces]
        first, samples = 0, 0
        while first < len(pieces):
            stop, length = first, 0
            while stop < len(pieces) and length + len(pieces[stop]) <= room:
                length += len(pieces[stop])
                stop += 1
            self._sample(number, first, pieces[first:stop], targets[first:stop], preparation)
            first, samples = stop, samples + 1
        self.divided += samples > 1

    def _sample(
        self,
        number: int,
        first: int,
        pieces: Sequence[array[int]],
        targets: Sequence[int],
        preparation: Preparation,
    ) -> None:
        frame = preparation.tokenizer.single
        ids, segments = frame.around([token for piece in pieces for token in piece])
        lead = len(frame.special[0])
        places, place = [], lead
        for piece in pieces:
            places.append(place)
            place += len(piece)
        by_token = array("i", [IGNORED]) * len(ids)
        for at, target in zip(places, targets, strict=True):
            by_token[at] = target
        self._rows.append(ids, segments)
        self._targets += by_token
        self._ends.append(len(self._targets))
        self.pieces.append(Piece(number, first, tuple(places)))

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.pieces)

    def length(self, index: int) -> float:
        """Return the number of tokens of one sample."""
        return float(self._rows.length(index))

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one sample; its targets are the numbers of the tags of its tokens. Texts are not augmented."""
        ids, segments = self._rows[index]
        targets = tuple(map(float, self._targets[self._ends[index] : self._ends[index + 1]]))
        return TextSample(ids=ids, segments=segments, targets=targets, form=self._form)


def word_pieces_of(words: Sequence[str], tokenizer: TextTokenizer) -> list[array[int]]:
    """Return the tokens of each word of a sentence, at least one for each.

    The sentence is tokenised as a whole, because many tokenizers mark the beginning of a word by the space before it.
    """
    text = " ".join(words)
    tokens = tokenizer.tokens(text)
    pieces = [array("i") for _ in words]
    stops: list[int] = []
    for word in words:
        stops.append((stops[-1] + 1 if stops else 0) + len(word))
    place = 0
    for token, _, end in _each(tokens):
        # The end decides, because a token may begin with the space before the word.
        while place < len(stops) - 1 and end > stops[place]:
            place += 1
        pieces[place].append(token)
    # A word of characters that the tokenizer removes has one token all the same, which has the tag.
    return [piece or array("i", [tokenizer.filler]) for piece in pieces]


def _each(tokens: Tokens) -> list[tuple[int, int, int]]:
    return list(zip(tokens.ids, tokens.starts, tokens.ends, strict=True))
