"""The base class of vocabularies, which convert between texts and symbols."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

SPECIAL = ("<blank>", "<bos>", "<eos>")
"""The special symbols, which stand for no text: the blank of CTC (also the padding), the beginning and the end."""


class Vocabulary(ABC):
    """The symbols of a recogniser: 0 to 2 are special symbols, those from 3 on stand for text."""

    @property
    @abstractmethod
    def pieces(self) -> tuple[str, ...]:
        """The text of each symbol; one that begins a word starts with a space or SentencePiece's mark for a space."""

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Return the symbols of a text without special symbols; text that no symbol stands for is left out."""

    @abstractmethod
    def decode(self, symbols: Iterable[int]) -> str:
        """Return the text of some symbols with single spaces; special and unknown symbols are skipped."""

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """Return the parts of a text that no symbol stands for, in order."""

    @abstractmethod
    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON from which `vocabulary_of` makes the same vocabulary."""

    def __len__(self) -> int:
        return len(self.pieces)


def single_spaced(text: str) -> str:
    """Return a text with single spaces between its words."""
    return " ".join(text.split())
