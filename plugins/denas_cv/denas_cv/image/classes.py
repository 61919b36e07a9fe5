"""Names of classes that people and file systems write in different ways."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def class_name(text: str) -> str:
    """Return a name in the form in which it is stored: composed letters (NFC), without white space around it.

    Some file systems and archives decompose letters: an e and an accent instead of one letter. Both look equal.
    """
    return unicodedata.normalize("NFC", text).strip()


def similar_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of names that differ only in upper and lower case."""
    first: dict[str, str] = {}
    pairs = []
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            pairs.append((other, name))
    return pairs


class KnownClasses:
    """The classes of the training images; other images are matched with them by name.

    Attributes:
        names: The names of the classes.
        matched: Names that were matched although upper and lower case differ, with the name of the class.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Create the matching for names of classes."""
        self.names = tuple(names)
        self.matched: dict[str, str] = {}
        self._numbers = {class_name(name): number for number, name in enumerate(names)}
        self._folded: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            self._folded.setdefault(class_name(name).casefold(), []).append(number)

    def number(self, text: str) -> int | None:
        """Return the number of a class; None if none has this name."""
        name = class_name(text)
        if name in self._numbers:
            return self._numbers[name]
        similar = self._folded.get(name.casefold(), [])
        if len(similar) != 1:
            return None
        self.matched[name] = self.names[similar[0]]
        return similar[0]

    def notices(self) -> list[str]:
        """Return a sentence if names were matched although upper and lower case differ."""
        if not self.matched:
            return []
        name, known = next(iter(self.matched.items()))
        return [
            f"{len(self.matched)} classes are spelt differently than in training, such as {name!r} for {known!r}: they "
            "are the same class here"
        ]
