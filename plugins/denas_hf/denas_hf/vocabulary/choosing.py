"""Choose the tokens that a smaller vocabulary keeps."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from denas_core.errors import ConfigError

from .pieces import Pieces

UNUSED = re.compile(r"[\[<]unused\d+[\]>]")
"""Tokens that stand for nothing, of which BERT has 994."""


def choose_tokens(
    pieces: Pieces, *, wanted: int, counts: Mapping[int, int], needed: Collection[int]
) -> list[int]:
    """Return the tokens to keep, in the order of their numbers.

    These are the needed ones, those of which any text can be written, and then the most frequent ones of the data. What is left
    is filled in the order of the vocabulary, which lists frequent tokens first.

    Args:
        pieces: The tokens.
        wanted: How many tokens to keep.
        counts: How often the data have each token.
        needed: Tokens that must be kept, such as special ones.

    Raises:
        ConfigError: more than `wanted` tokens are needed.
    """
    kept = _with_parts(pieces, {*needed, *pieces.base()})
    if len(kept) > wanted:
        raise ConfigError(
            f"a vocabulary of {wanted} tokens is too small: {len(kept)} are needed for special tokens and single "
            "characters"
        )
    unused = {id for token, id in pieces.ids.items() if UNUSED.fullmatch(token)}
    ranked = sorted(pieces.ids.values(), key=lambda id: (-counts.get(id, 0), id in unused, id))
    for id in ranked:
        if id in kept:
            continue
        added = _with_parts(pieces, {id}) - kept
        if len(kept) + len(added) <= wanted:
            kept |= added
        if len(kept) == wanted:
            break
    return sorted(kept)


def _with_parts(pieces: Pieces, ids: Iterable[int]) -> set[int]:
    """Return tokens with all tokens of which they are made."""
    found: set[int] = set()
    waiting = list(ids)
    while waiting:
        id = waiting.pop()
        if id not in found:
            found.add(id)
            waiting.extend(pieces.parts(id))
    return found
