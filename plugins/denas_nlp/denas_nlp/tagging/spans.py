"""Spans of tokens that tags describe, in any of the usual schemes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"

_PREFIXES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}
"""The prefixes of IOB1, IOB2, BIOES, BILOU and BMES, as those of BIOES."""


class Span(NamedTuple):
    """Consecutive tokens with one label.

    Attributes:
        label: The label.
        first: The first token.
        stop: The end (exclusive).
    """

    label: str
    first: int
    stop: int


def parted(tag: str) -> tuple[str, str]:
    """Return the prefix of a tag, as BIOES has it, and its label; a tag without a prefix has an empty one."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, dash, label = tag.partition("-")
    if dash and prefix in _PREFIXES:
        return _PREFIXES[prefix], label
    return "", tag


def has_prefixes(tags: Iterable[str]) -> bool:
    """Return whether tags say where spans begin: each of them, except `OUTSIDE`, has a prefix."""
    return all(parted(tag)[0] for tag in tags)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Return the spans of a sentence, as the library seqeval and the script of CoNLL-2000 define them.

    A span begins at B or S, where the label changes, and after a span that has ended by E or S. Tags without a prefix
    make a span of equal neighbours.
    """
    spans: list[Span] = []
    first, before, label = 0, OUTSIDE, ""
    for place, tag in enumerate((*tags, OUTSIDE)):
        prefix, its_label = parted(tag)
        begins = prefix != OUTSIDE and (
            prefix in ("B", "S") or before in (OUTSIDE, "E", "S") or its_label != label
        )
        if before != OUTSIDE and (begins or prefix == OUTSIDE):
            spans.append(Span(label, first, place))
        if begins:
            first = place
        before, label = prefix, its_label
    return spans


def iob2(tags: Sequence[str]) -> list[str]:
    """Return the tags of the same spans in IOB2: B for the first token of a span, and I for the others."""
    found = [OUTSIDE] * len(tags)
    for label, first, stop in spans_of(tags):
        found[first:stop] = [f"B-{label}", *[f"I-{label}"] * (stop - first - 1)]
    return found


def listed_spans(words: Sequence[str], tags: Sequence[str]) -> str:
    """Return the spans of a sentence for people, such as ``New York [PLACE]; Ann [PERSON]``."""
    return "; ".join(f"{' '.join(words[first:stop])} [{label}]" for label, first, stop in spans_of(tags))
