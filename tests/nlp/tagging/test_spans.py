"""Spans of tags in every scheme, and their metrics."""

from __future__ import annotations

import pytest

from denas_nlp.tagging.metrics import of_spans
from denas_nlp.tagging.spans import Span, has_prefixes, iob2, spans_of

LOC, PER = "LOC", "PER"


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-PER I-PER O B-LOC", [Span(PER, 0, 2), Span(LOC, 3, 4)]),
        # IOB1: B only where a span follows another one of its kind.
        ("I-PER I-PER O I-LOC B-LOC I-LOC", [Span(PER, 0, 2), Span(LOC, 3, 4), Span(LOC, 4, 6)]),
        ("I-PER I-LOC", [Span(PER, 0, 1), Span(LOC, 1, 2)]),
        # BIOES and BILOU.
        ("B-PER I-PER E-PER S-LOC S-LOC", [Span(PER, 0, 3), Span(LOC, 3, 4), Span(LOC, 4, 5)]),
        ("B-PER L-PER U-LOC O U-LOC", [Span(PER, 0, 2), Span(LOC, 2, 3), Span(LOC, 4, 5)]),
        # After an end, I begins another span.
        ("B-PER E-PER I-PER", [Span(PER, 0, 2), Span(PER, 2, 3)]),
        ("O O", []),
        ("PER PER O LOC", [Span(PER, 0, 2), Span(LOC, 3, 4)]),
        ("", []),
    ],
)
def test_spans_are_those_that_the_scheme_means(tags: str, spans: list[Span]) -> None:
    assert spans_of(tags.split()) == spans


def test_every_scheme_becomes_iob2() -> None:
    wanted = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"]
    for tags in (
        wanted,
        ["I-PER", "I-PER", "O", "I-LOC", "B-LOC"],
        ["B-PER", "E-PER", "O", "S-LOC", "S-LOC"],
    ):
        assert iob2(tags) == wanted
    assert has_prefixes(wanted) and not has_prefixes(["O", "NN"])


def test_metrics_count_whole_spans() -> None:
    wanted = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "B-LOC"]]
    # One of four predicted spans is right, and three were there; three of six tags are right.
    assert of_spans(found, wanted) == {
        "f1": pytest.approx(2 / 7),
        "precision": pytest.approx(1 / 4),
        "recall": pytest.approx(1 / 3),
        "accuracy": pytest.approx(3 / 6),
    }
    assert of_spans([["O"]], [["O"]]) == {"f1": 0.0, "precision": 0.0, "recall": 0.0, "accuracy": 1.0}
