"""The symbols of a recogniser, and texts made of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

SPECIAL = ("<blank>", "<bos>", "<eos>")
"""The blank of CTC, which is the padding too, and what stands before and behind a transcript; no text has them."""


class Vocabulary(ABC):
    """The symbols of a recogniser: the special ones, and from 3 on those of texts."""

    @property
    @abstractmethod
    def pieces(self) -> tuple[str, ...]:
        """Text of each symbol, with a space, or SentencePiece's mark for it, where a word begins."""

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Return the symbols of a text, without special ones; what no symbol stands for is left out."""

    @abstractmethod
    def decode(self, symbols: Iterable[int]) -> str:
        """Return the text of some symbols, with single spaces; special ones, and what is no symbol, have none."""

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """Return what of a text no symbol stands for, in order."""

    @abstractmethod
    def as_facts(self) -> dict[str, Any]:
        """Return what `vocabulary_of` makes the same vocabulary from, fit for JSON."""

    def __len__(self) -> int:
        return len(self.pieces)


def single_spaced(text: str) -> str:
    """Return a text whose words are apart by single spaces."""
    return " ".join(text.split())
