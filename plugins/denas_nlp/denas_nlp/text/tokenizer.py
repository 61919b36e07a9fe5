"""Texts as tokens, with the special tokens that a network expects around them."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, describe_error

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADS = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>", "<|end_of_text|>", "</s>")
"""Tokens behind the end of a text, in this order. Decoders have none for it, and are padded with that of the end."""

UNKNOWNS = ("[UNK]", "<unk>")

PROBES = ("a", "the", "A", "0", ".", "ab")
"""Texts of which any tokenizer makes a token of at least one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tokens:
    """A text as tokens.

    Attributes:
        ids: Number of each token.
        starts: Its first character in the text.
        ends: The character behind it.
    """

    ids: array[int]
    starts: array[int]
    ends: array[int]

    def __len__(self) -> int:
        return len(self.ids)


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """The special tokens around one text, or around two.

    Attributes:
        special: Tokens before the first text, behind it, and behind the second.
        segments: The kind of each of these tokens.
        kinds: The kind of the tokens of each text.
    """

    special: tuple[array[int], ...]
    segments: tuple[array[int], ...]
    kinds: tuple[int, ...]

    @property
    def length(self) -> int:
        """The number of special tokens."""
        return sum(map(len, self.special))

    def around(self, *texts: Sequence[int]) -> tuple[array[int], array[int]]:
        """Return the tokens of the texts with those around them, and the kind of each."""
        ids, segments = array("i", self.special[0]), array("b", self.segments[0])
        for text, special, kinds, kind in zip(
            texts, self.special[1:], self.segments[1:], self.kinds, strict=True
        ):
            ids.extend(text)
            segments.extend([kind] * len(text))
            ids += special
            segments += kinds
        return ids, segments


class TextTokenizer:
    """Makes tokens of texts.

    Attributes:
        text: The ``tokenizer.json`` that makes the same one, without settings of length.
        size: Rows that a table of its tokens needs.
        pad: Token behind the end of a text that is shorter than others; 0 where it has none that is known for it.
        single: What is around one text.
        pair: What is around two texts.
    """

    def __init__(self, text: str, *, origin: str) -> None:
        """Make a tokenizer.

        Args:
            text: A ``tokenizer.json``.
            origin: Where it comes from, for errors.

        Raises:
            ConfigError: it is no tokenizer, or puts texts in another order.
        """
        self._tokenizer = _parsed(text, origin)
        self.text = str(self._tokenizer.to_str())
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        self.size = max(vocabulary.values(), default=-1) + 1
        self.pad = next((vocabulary[token] for token in PADS if token in vocabulary), 0)
        self._unknown = next((vocabulary[token] for token in UNKNOWNS if token in vocabulary), None)
        probe = next((text for text in PROBES if len(self.tokens(text))), None)
        if probe is None:
            raise ConfigError(
                f"{origin} makes no tokens of plain words; give the vocabulary of a network for text"
            )
        self.single, self.pair = self._frame(origin, probe), self._frame(origin, probe, probe)

    def tokens(self, text: str) -> Tokens:
        """Return a text as tokens, without special ones."""
        # One by one: in a batch its library starts threads, and warns of them whenever this process is forked later.
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = encoding.offsets
        return Tokens(
            array("i", encoding.ids),
            array("i", [start for start, _ in offsets]),
            array("i", [end for _, end in offsets]),
        )

    def unknown(self, ids: array[int]) -> int:
        """Return how many tokens stand for what is not in the vocabulary."""
        return 0 if self._unknown is None else ids.count(self._unknown)

    def _frame(self, origin: str, *texts: str) -> Frame:
        first, second = (*texts, None)[:2]
        encoding = self._tokenizer.encode(first, second)
        owners: list[int | None] = encoding.sequence_ids
        # Where each text begins and ends within all tokens.
        places = [[i for i, owner in enumerate(owners) if owner == text] for text in range(len(texts))]
        bounds = [(found[0], found[-1] + 1) for found in places if found]
        in_order = len(bounds) == len(texts) and all(
            len(found) == end - start for found, (start, end) in zip(places, bounds, strict=True)
        )
        if not in_order or bounds != sorted(bounds):
            raise ConfigError(f"{origin} does not put one text behind the other, each once and whole")
        cuts = [0, *(cut for bound in bounds for cut in bound), len(owners)]
        around = [slice(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
        return Frame(
            special=tuple(array("i", encoding.ids[part]) for part in around),
            segments=tuple(array("b", encoding.type_ids[part]) for part in around),
            kinds=tuple(encoding.type_ids[start] for start, _ in bounds),
        )


def _parsed(text: str, origin: str) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
        # Tasks cut and pad themselves.
        tokenizer.no_truncation()
        tokenizer.no_padding()
    except Exception as error:
        raise ConfigError(f"{origin} is no tokenizer: {describe_error(error)}") from error
    return tokenizer
