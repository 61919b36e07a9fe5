"""Scripts, such as Latin and Cyrillic: those of a text, and those of the tokens of a data set."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Mapping

COMMON = 0.001
"""Share of the tokens with letters of a script from which on the data are written in it."""


@functools.cache
def script_of(character: str) -> str:
    """Return the script of a letter, which its name in Unicode begins with; empty for all other characters."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""


def scripts_of(text: str) -> set[str]:
    """Return the scripts of the letters of a text."""
    return {script_of(character) for character in text} - {""}


def scripts_of_data(ids: Mapping[str, int], counts: Mapping[int, int]) -> set[str]:
    """Return the scripts in which data are written.

    Args:
        ids: The number of each token that is not a special one.
        counts: How often the data have each token.
    """
    found: Counter[str] = Counter()
    for token, id in ids.items():
        if id in counts:
            for script in scripts_of(token):
                found[script] += counts[id]
    least = COMMON * sum(counts.values())
    return {script for script, count in found.items() if count >= least}
