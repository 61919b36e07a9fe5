"""The tokens of a tokenizer: which ones every text needs, and how the tokenizer does without the others."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from denas_core.errors import ConfigError

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


class Pieces(ABC):
    """The tokens of the model in a ``tokenizer.json``.

    Attributes:
        model: The part ``model`` of the file.
        ids: The number of each token.
    """

    def __init__(self, model: Mapping[str, Any]) -> None:
        """Read the tokens. Raises KeyError, TypeError or ValueError if they have another form."""
        self.model = model
        self.ids = self._read_ids()

    def _read_ids(self) -> dict[str, int]:
        return {str(token): int(id) for token, id in self.model["vocab"].items()}

    @abstractmethod
    def base(self) -> dict[int, str]:
        """Return the tokens without which a text could no longer be written that could be written before.

        Each has the characters that only it can write; it has none if every text needs the token.
        """

    def parts(self, id: int) -> tuple[int, ...]:
        """Return the tokens that must be kept for `id` to be used; by default none."""
        return ()

    @abstractmethod
    def without(self, numbers: Mapping[int, int]) -> dict[str, Any]:
        """Return the part ``model`` of a file with fewer tokens.

        Args:
            numbers: The new number of each token that is kept.
        """

    def _kept_ids(self, numbers: Mapping[int, int]) -> dict[str, int]:
        return {token: numbers[id] for token, id in self.ids.items() if id in numbers}


class WordPieces(Pieces):
    """Tokens of which a word is cut from left to right, the longest one first, as in BERT.

    A word whose token is missing is written with shorter ones, down to single characters.
    """

    def base(self) -> dict[int, str]:
        """Return the unknown token, the single characters, and the tokens that cannot be written with these."""
        prefix, unknown = self.model["continuing_subword_prefix"], self.model.get("unk_token")
        needed: dict[int, str] = {}
        for token, id in self.ids.items():
            inside = token.startswith(prefix) and token != prefix
            characters = token.removeprefix(prefix) if inside else token
            written = [
                f"{prefix if inside or place else ''}{character}"
                for place, character in enumerate(characters)
            ]
            if len(written) == 1 or token == unknown or not self.ids.keys() >= set(written):
                needed[id] = "" if token == unknown else characters
        return needed

    def without(self, numbers: Mapping[int, int]) -> dict[str, Any]:
        """Return the model with fewer tokens."""
        return {**self.model, "vocab": self._kept_ids(numbers)}


class BytePairs(Pieces):
    """Tokens that are merged from two others, as in GPT-2, RoBERTa and Llama."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        """Read tokens and merges."""
        super().__init__(model)
        inner = model.get("continuing_subword_prefix") or ""
        self._merges: list[tuple[str, str, str]] = []
        for merge in model["merges"]:
            left, right = merge.split(" ") if isinstance(merge, str) else merge
            self._merges.append((left, right, left + right.removeprefix(inner)))
        self._parts: dict[int, tuple[int, int]] = {}
        for left, right, whole in self._merges:
            # The first merge is the one that the tokenizer applies first.
            self._parts.setdefault(self.ids[whole], (self.ids[left], self.ids[right]))

    def base(self) -> dict[int, str]:
        """Return the tokens that no merge makes: characters or bytes, and special tokens."""
        return dict.fromkeys(self.ids.values() - self._parts.keys(), "")

    def parts(self, id: int) -> tuple[int, ...]:
        """Return the two tokens from which a token is merged."""
        return self._parts.get(id, ())

    def without(self, numbers: Mapping[int, int]) -> dict[str, Any]:
        """Return the model with fewer tokens, and the merges whose tokens are all kept."""
        kept = self._kept_ids(numbers)
        merges = [
            merge
            for merge, tokens in zip(self.model["merges"], self._merges, strict=True)
            if kept.keys() >= set(tokens)
        ]
        return {**self.model, "vocab": kept, "merges": merges}


class Unigrams(Pieces):
    """Tokens with a probability each, of which the most probable ones that make up a text are taken, as in T5."""

    def _read_ids(self) -> dict[str, int]:
        return {str(token): id for id, (token, _) in enumerate(self.model["vocab"])}

    def base(self) -> dict[int, str]:
        """Return the unknown token, characters, bytes, and the tokens that cannot be written with these."""
        needed: dict[int, str] = {}
        for token, id in self.ids.items():
            if id == self.model.get("unk_id") or _BYTE.fullmatch(token):
                needed[id] = ""
            elif len(token) == 1 or not self.ids.keys() >= set(token):
                needed[id] = token
        return needed

    def without(self, numbers: Mapping[int, int]) -> dict[str, Any]:
        """Return the model with fewer tokens; their probabilities stay."""
        kept = [entry for id, entry in enumerate(self.model["vocab"]) if id in numbers]
        unknown = self.model.get("unk_id")
        return {**self.model, "vocab": kept, "unk_id": None if unknown is None else numbers[int(unknown)]}


KINDS: Mapping[str, type[Pieces]] = {"WordPiece": WordPieces, "BPE": BytePairs, "Unigram": Unigrams}


def pieces_of(model: Mapping[str, Any]) -> Pieces:
    """Return the tokens of the part ``model`` of a ``tokenizer.json``.

    Raises:
        ConfigError: it is of a kind whose tokens cannot be replaced by others.
    """
    # Files that were written before the kinds had names are told by their contents.
    kind = model.get("type") or ("BPE" if "merges" in model else "")
    if kind not in KINDS:
        raise ConfigError(
            f"a tokenizer of the kind {kind or 'without a name'!r} cannot do without some of its tokens; those of the "
            f"kinds {_listed(KINDS)} can"
        )
    return KINDS[kind](model)


def _listed(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"
