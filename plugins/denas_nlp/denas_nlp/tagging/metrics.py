"""Precision, recall and F1 of spans: those with the right label, first token and last token count."""

from __future__ import annotations

from collections.abc import Sequence

from .spans import spans_of


def of_spans(found: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return micro-averaged F1, precision and recall of the spans of all sentences, and the accuracy of tags.

    The definition is that of the library seqeval and of CoNLL-2003 (Tjong Kim Sang and De Meulder 2003).

    Args:
        found: The predicted tags of each sentence.
        wanted: The right tags of each sentence.
    """
    hits = claimed = there = right = tokens = 0
    for ours, theirs in zip(found, wanted, strict=True):
        our_spans, their_spans = set(spans_of(ours)), set(spans_of(theirs))
        hits += len(our_spans & their_spans)
        claimed += len(our_spans)
        there += len(their_spans)
        right += sum(one == other for one, other in zip(ours, theirs, strict=True))
        tokens += len(theirs)
    return {
        "f1": 2 * hits / (claimed + there) if claimed + there else 0.0,
        "precision": hits / claimed if claimed else 0.0,
        "recall": hits / there if there else 0.0,
        "accuracy": right / tokens if tokens else 0.0,
    }
