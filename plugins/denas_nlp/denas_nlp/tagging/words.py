"""Divide a text into words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+|[^\w\s]")


def word_bounds(text: str, cuts: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Return the first character and the end of each word and of each punctuation mark.

    Args:
        text: The text.
        cuts: Places at which a word ends, even if the text goes on with a letter.
    """
    wanted = set(cuts)
    found: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        edges = [start, *(place for place in range(start + 1, end) if place in wanted), end]
        found += itertools.pairwise(edges)
    return found
