"""Tokenise texts, and add the special tokens that a network expects."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError, describe_error, safe_repr

from .content import LOST

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADS = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>", "<|end_of_text|>", "</s>")
"""Names of padding tokens in order of preference; decoders without one are padded with their end token."""

ENDS = ("</s>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "[SEP]", "<eos>")
"""Names of the token at the end of a text."""

UNKNOWNS = ("[UNK]", "<unk>")

PROBES = ("a", "the", "A", "0", ".", "ab")
"""Texts for a test; every working tokenizer returns a token for at least one of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tokens:
    """A text as tokens.

    Attributes:
        ids: The number of each token.
        starts: The first character of each token in the text.
        ends: The end of each token in the text (exclusive).
    """

    ids: array[int]
    starts: array[int]
    ends: array[int]

    def __len__(self) -> int:
        return len(self.ids)


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """The special tokens around one text or two texts.

    Attributes:
        special: The special tokens before the first text, after it, and after the second.
        segments: The segment of each special token.
        kinds: The segment of each text.
    """

    special: tuple[array[int], ...]
    segments: tuple[array[int], ...]
    kinds: tuple[int, ...]

    @property
    def length(self) -> int:
        """Number of special tokens."""
        return sum(map(len, self.special))

    def around(self, *texts: Sequence[int]) -> tuple[array[int], array[int]]:
        """Return the tokens of the texts with the special tokens around them, and the segment of each token."""
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
    """Converts texts to tokens.

    Attributes:
        text: The contents of its ``tokenizer.json``, without settings of length.
        size: Number of rows that an embedding table for its tokens needs.
        pad: The padding token; 0 if no known padding token exists.
        end: The token at the end of a text; None if no known one exists.
        filler: The token for a word that has no token: the unknown token, or the padding token.
        single: The special tokens around one text.
        pair: The special tokens around two texts.
    """

    def __init__(self, text: str, *, origin: str) -> None:
        """Create a tokenizer.

        Args:
            text: The contents of a ``tokenizer.json``.
            origin: The source of the text, for errors.

        Raises:
            ConfigError: the text is not a tokenizer, or the tokenizer changes the order of texts.
        """
        self._tokenizer = _parsed(text, origin)
        self.text = str(self._tokenizer.to_str())
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        self.size = max(vocabulary.values(), default=-1) + 1
        self.pad = next((vocabulary[token] for token in PADS if token in vocabulary), 0)
        self.end = next((vocabulary[token] for token in ENDS if token in vocabulary), None)
        self._unknown = next((vocabulary[token] for token in UNKNOWNS if token in vocabulary), None)
        self.filler = self.pad if self._unknown is None else self._unknown
        probe = next((text for text in PROBES if len(self.tokens(text))), None)
        if probe is None:
            raise ConfigError(
                f"{origin} returns no tokens for plain words; give the vocabulary of a network for text"
            )
        self.single, self.pair = self._frame(origin, probe), self._frame(origin, probe, probe)

    def tokens(self, text: str) -> Tokens:
        """Return a text as tokens, without special tokens.

        Raises:
            ConfigError: the text has bytes or escapes that are no characters.
        """
        if LOST.search(text):
            raise ConfigError(f"the text {safe_repr(text, 40)} is not UTF-8; save it as UTF-8")
        # Texts are encoded one by one: for a batch, the library starts threads and then warns when the process forks.
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = encoding.offsets
        return Tokens(
            array("i", encoding.ids),
            array("i", [start for start, _ in offsets]),
            array("i", [end for _, end in offsets]),
        )

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def special_tokens(self) -> dict[str, int]:
        """Return the numbers of the padding token and of the end token, as configurations of transformers name them."""
        if self.end is None:
            return {"pad_token_id": self.pad}
        return {"pad_token_id": self.pad, "bos_token_id": self.end, "eos_token_id": self.end}

    def unknown(self, ids: array[int]) -> int:
        """Return how many tokens stand for unknown text."""
        return 0 if self._unknown is None else ids.count(self._unknown)

    def _frame(self, origin: str, *texts: str) -> Frame:
        first, second = (*texts, None)[:2]
        encoding = self._tokenizer.encode(first, second)
        owners: list[int | None] = encoding.sequence_ids
        # The start and the end of each text within all tokens.
        places = [[i for i, owner in enumerate(owners) if owner == text] for text in range(len(texts))]
        bounds = [(found[0], found[-1] + 1) for found in places if found]
        in_order = len(bounds) == len(texts) and all(
            len(found) == end - start for found, (start, end) in zip(places, bounds, strict=True)
        )
        if not in_order or bounds != sorted(bounds):
            raise ConfigError(f"{origin} does not join two texts one after the other, each once and complete")
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
        # Tasks do the truncation and padding.
        tokenizer.no_truncation()
        tokenizer.no_padding()
    except Exception as error:
        raise ConfigError(f"{origin} is not a tokenizer: {describe_error(error)}") from error
    return tokenizer
