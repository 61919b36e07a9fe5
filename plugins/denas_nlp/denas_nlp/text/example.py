"""Sentences for example data, and a vocabulary for them that suits the networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_core import SearchSpace, derive_rng

from .form import reach_of
from .opening import FACT
from .word_pieces import NEEDED

WORDS = (
    "rivers",
    "run",
    "through",
    "old",
    "quiet",
    "towns",
    "and",
    "wide",
    "green",
    "valleys",
    "in",
    "spring",
)


class Words:
    """Generates sentences from a list of words."""

    def __init__(self, words: Sequence[str]) -> None:
        """Set the words."""
        self._words = words

    def sentence(self, number: int, *, least: int = 3, most: int = 9) -> str:
        """Return the sentence with this number, which is always the same."""
        rng = derive_rng(0, "example sentence", number)
        return " ".join(rng.choices(self._words, k=rng.randint(least, most)))


def write_vocabulary(folder: Path, space: SearchSpace) -> Words:
    """Return a generator of sentences, and write a ``vocab.txt`` of its words if the space has no tokenizer."""
    rows = reach_of(space).tokens
    room = len(WORDS) if rows is None else max(rows - len(NEEDED), 1)
    words = WORDS[:room]
    if FACT not in space.assets():
        (folder / "vocab.txt").write_text("\n".join((*NEEDED, *words)) + "\n", encoding="utf-8")
    return Words(words)
