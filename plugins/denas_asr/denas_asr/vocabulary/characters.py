"""A vocabulary of characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from denas_core.errors import ConfigError

from .vocabulary import SPECIAL, Vocabulary, single_spaced


class Characters(Vocabulary):
    """Every character is a symbol, the space among them."""

    kind: ClassVar[str] = "characters"

    def __init__(self, characters: Iterable[str]) -> None:
        self._pieces = (*SPECIAL, *characters)
        self._numbers = {piece: number for number, piece in enumerate(self._pieces) if number >= len(SPECIAL)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Characters:
        """Return the vocabulary of the characters of some texts, in the order of Unicode.

        Raises:
            ConfigError: there is not a single one.
        """
        found = sorted({character for text in texts for character in single_spaced(text)})
        if not found:
            raise ConfigError("the transcripts to learn from are empty; there are no characters to recognise")
        return cls(found)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Characters:
        """Return what `as_facts` has put down."""
        return cls(facts["characters"])

    @property
    def pieces(self) -> tuple[str, ...]:
        """The characters, behind the special symbols."""
        return self._pieces

    def encode(self, text: str) -> list[int]:
        """Return the numbers of the characters that have one; words are apart by single spaces."""
        return [self._numbers[character] for character in single_spaced(text) if character in self._numbers]

    def decode(self, symbols: Iterable[int]) -> str:
        """Return the characters in one text, whose words are apart by single spaces."""
        known = range(len(SPECIAL), len(self._pieces))
        return single_spaced("".join(self._pieces[symbol] for symbol in symbols if symbol in known))

    def unknown(self, text: str) -> list[str]:
        """Return the characters that have no number."""
        return [character for character in single_spaced(text) if character not in self._numbers]

    def as_facts(self) -> dict[str, Any]:
        """Return the characters in order."""
        return {"kind": self.kind, "characters": list(self._pieces[len(SPECIAL) :])}
