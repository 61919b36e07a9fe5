"""Choose the tokens that a smaller vocabulary keeps."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from denas_core.errors import ConfigError

from .pieces import Pieces
from .scripts import scripts_of, scripts_of_data

UNUSED = re.compile(r"[\[<]unused\d+[\]>]")
"""Tokens that stand for nothing, of which BERT has 994."""


def choose_tokens(
    pieces: Pieces, *, wanted: int, counts: Mapping[int, int], needed: Collection[int]
) -> list[int]:
    """Return the tokens to keep, in the order of their numbers.

    These are the needed ones, those of which any text in the scripts of the data can be written, and then the most
    frequent ones of the data. What is left is filled in the order of the vocabulary, which lists frequent tokens first;
    tokens in the scripts of the data come before all others. Without data, all scripts count.

    Args:
        pieces: The tokens.
        wanted: How many tokens to keep.
        counts: How often the data have each token.
        needed: Tokens that must be kept, such as special ones.

    Raises:
        ConfigError: more than `wanted` tokens are needed.
    """
    ids = {token: id for token, id in pieces.ids.items() if id not in needed}
    scripts = scripts_of_data(ids, counts)
    foreign = {id for token, id in ids.items() if counts and not scripts_of(token) <= scripts}
    base = {id for id, text in pieces.base().items() if not text or id not in foreign}
    kept = _with_parts(pieces, {*needed, *base})
    if len(kept) > wanted:
        raise ConfigError(
            f"a vocabulary of {wanted} tokens is too small: {len(kept)} are needed for special tokens and single "
            "characters"
        )
    unused = {id for token, id in pieces.ids.items() if UNUSED.fullmatch(token)}
    ranked = sorted(pieces.ids.values(), key=lambda id: (-counts.get(id, 0), id in unused, id in foreign, id))
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
