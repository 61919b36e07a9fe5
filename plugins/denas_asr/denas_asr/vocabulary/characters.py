"""A vocabulary of characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from denas_core.errors import ConfigError

from .vocabulary import SPECIAL, Vocabulary, single_spaced


class Characters(Vocabulary):
    """A vocabulary in which every character is a symbol, including the space."""

    kind: ClassVar[str] = "characters"

    def __init__(self, characters: Iterable[str]) -> None:
        self._pieces = (*SPECIAL, *characters)
        self._numbers = {piece: number for number, piece in enumerate(self._pieces) if number >= len(SPECIAL)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Characters:
        """Return the vocabulary of the characters in some texts, in Unicode order.

        Raises:
            ConfigError: the texts have no characters.
        """
        found = sorted({character for text in texts for character in single_spaced(text)})
        if not found:
            raise ConfigError("the training transcripts are empty; there are no characters to recognise")
        return cls(found)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Characters:
        """Return the vocabulary that `as_facts` described."""
        return cls(facts["characters"])

    @property
    def pieces(self) -> tuple[str, ...]:
        """The special symbols followed by the characters."""
        return self._pieces

    def encode(self, text: str) -> list[int]:
        """Return the symbols of a text with single spaces between words; unknown characters are left out."""
        return [self._numbers[character] for character in single_spaced(text) if character in self._numbers]

    def decode(self, symbols: Iterable[int]) -> str:
        """Return the text of some symbols with single spaces between words."""
        known = range(len(SPECIAL), len(self._pieces))
        return single_spaced("".join(self._pieces[symbol] for symbol in symbols if symbol in known))

    def unknown(self, text: str) -> list[str]:
        """Return the characters of a text that are not in the vocabulary."""
        return [character for character in single_spaced(text) if character not in self._numbers]

    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON: the characters in order."""
        return {"kind": self.kind, "characters": list(self._pieces[len(SPECIAL) :])}
