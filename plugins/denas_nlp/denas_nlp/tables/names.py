"""The usual names of columns of texts and labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

TEXTS = (
    "text",
    "sentence",
    "review",
    "review text",
    "reviewtext",
    "review body",
    "content",
    "comment",
    "comment text",
    "tweet",
    "message",
    "body",
    "description",
    "document",
    "utterance",
    "question",
    "headline",
    "title",
    "abstract",
    "string",
    "sms",
    "input",
)
LABELS = (
    "label",
    "labels",
    "class",
    "class index",
    "classes",
    "category",
    "categories",
    "target",
    "sentiment",
    "stars",
    "rating",
    "intent",
    "emotion",
    "emotions",
    "polarity",
    "topic",
    "topics",
    "genre",
    "genres",
    "tag",
    "tags",
    "gold label",
    "label text",
    "airline sentiment",
    "quality",
    "is duplicate",
)
PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence 1", "sentence 2"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text a", "text b"),
    ("sentence a", "sentence b"),
    ("1 string", "2 string"),
    ("question", "sentence"),
    ("query", "passage"),
)
SEVERAL = frozenset({"labels", "classes", "categories", "emotions", "topics", "genres", "tags"})
"""Names of columns that may hold several labels in a row."""

_OTHERS = ("id", "idx", "index", "date", "user", "context", "answers", "score")


def plain_name(name: str) -> str:
    """Return the name of a column in lower case, with a space for each run of other characters than letters."""
    return re.sub(r"[\W_]+", " ", name).strip().casefold()


def is_known_name(name: str) -> bool:
    """Return whether this is a usual name of a column."""
    return plain_name(name) in _KNOWN


def known(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with the first of the usual names that is there; None if none is."""
    by_name = {plain_name(column): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


_KNOWN = frozenset((*TEXTS, *LABELS, *(name for pair in PAIRS for name in pair), *_OTHERS))
