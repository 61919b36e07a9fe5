"""Read articles in the JSON format of SQuAD: paragraphs, questions, and the positions of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, safe_repr

from .questions import Paragraph, QuestionReader


def has_articles(document: Any) -> bool:
    """Return whether a document has the form of SQuAD: it has a list ``data`` of articles with paragraphs."""
    data = document.get("data") if isinstance(document, dict) else None
    return isinstance(data, list) and any(
        isinstance(each, dict) and "paragraphs" in each for each in data[:1]
    )


def paragraphs_of(document: Any, path: Path) -> tuple[list[Paragraph], tuple[str, ...]]:
    """Return the paragraphs of a document that have questions, and notices about faults.

    Damaged questions are left out. An answer whose text is not at its position is used only as a text to compare with;
    if it differs from the paragraph only in white space, its position is used too.

    Raises:
        ConfigError: the document has another form, many questions are damaged, or none has an answer.
    """
    reader = QuestionReader()
    paragraphs = [
        paragraph
        for article in _list(document, "data", path)
        for entry in _list(article, "paragraphs", path)
        if (paragraph := _paragraph(entry, reader, path)).questions
    ]
    return paragraphs, reader.notices(path, paragraphs)


def _paragraph(entry: Any, reader: QuestionReader, path: Path) -> Paragraph:
    text = entry.get("context") if isinstance(entry, dict) else None
    found = (reader.read(each, text) for each in _list(entry, "qas", path))
    questions = tuple(question for question in found if question is not None)
    return Paragraph(text=text if isinstance(text, str) else "", questions=questions)


def _list(entry: Any, key: str, path: Path) -> Iterator[Any]:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, list):
        raise ConfigError(
            f"{str(path)!r} is not laid out as SQuAD: {safe_repr(entry, 60)} has no list {key!r}; give articles as in "
            "SQuAD v1.1, or rows with 'context', 'question' and 'answers'"
        )
    return iter(found)
