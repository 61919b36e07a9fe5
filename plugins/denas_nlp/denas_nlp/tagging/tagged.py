"""Sentences with tags, and the tags that a network learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from denas_core.errors import ConfigError, safe_repr

from .spans import OUTSIDE, has_prefixes, spans_of


class Tagged(NamedTuple):
    """A sentence.

    Attributes:
        tokens: Its tokens.
        tags: The tag of each token.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


Found = tuple[list[Tagged], tuple[str, ...]]
"""The sentences of a file, and notices about it."""


def tag_names(sentences: Sequence[Tagged], name: str) -> list[str]:
    """Return the tags of a network: those of IOB2, or the tags themselves if they have no prefixes.

    Raises:
        ConfigError: there is no other tag than `OUTSIDE`.
    """
    tags = {tag for sentence in sentences for tag in sentence.tags}
    if has_prefixes(tags):
        labels = {label for sentence in sentences for label, _, _ in spans_of(sentence.tags)}
        found = [OUTSIDE, *(f"{prefix}-{label}" for label in sorted(labels) for prefix in "BI")]
    else:
        found = [*([OUTSIDE] if OUTSIDE in tags else []), *sorted(tags - {OUTSIDE})]
    if len(found) < 2:
        raise ConfigError(
            f"all tokens of {name!r} have the tag {safe_repr(found[0], 30)}; give sentences with other tags, such as "
            "B-PER"
        )
    return found
