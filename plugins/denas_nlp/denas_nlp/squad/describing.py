"""Describe questions about paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_core import DataDescription
from denas_core.errors import ConfigError
from denas_nlp.tables.read import read_records
from denas_nlp.text.content import PARQUET, as_utf8, read_file
from denas_nlp.text.describing import (
    MOST_BYTES,
    language_facts,
    length_facts,
    spaces_for,
    vocabulary_options,
)
from denas_nlp.text.files import Files, found_files

from .questions import Paragraph
from .reading import read_questions
from .rows import has_rows

_PROBED = 4096


def described(data: Path, files: Files, *, vocab: str, max_length: int) -> DataDescription | None:
    """Return the questions and paragraphs of the data set at `data`; None if it has none.

    Args:
        data: The data set.
        files: The names of its files.
        vocab: The vocabulary that the user has named.
        max_length: Greatest number of tokens of a sample.

    Raises:
        ConfigError: there are questions, and they cannot be learnt from.
    """
    if not data.is_dir() and not files.suffix_of(data):
        return None
    found = found_files(data, files, to_evaluate=False)
    if not found.train or not _has_questions(found.train[0]):
        return None
    paragraphs: dict[str, list[Paragraph]] = {}
    notices = list(found.notices)
    for part, pieces in (("train", found.train), ("valid", found.valid)):
        for path in pieces:
            more, told = read_questions(path)
            paragraphs[part] = [*paragraphs.get(part, ()), *more]
            notices += told
    learnt = paragraphs["train"]
    questions = [question for paragraph in learnt for question in paragraph.questions]
    without = sum(not question.answers for question in questions)
    texts = [paragraph.text for paragraph in learnt]
    return DataDescription(
        format=f"questions about paragraphs, as in SQuAD {'2.0' if without else '1.1'}",
        samples={part: _count(each) for part, each in paragraphs.items()},
        facts={
            "paragraphs": len(learnt),
            **({"questions without an answer": without} if without else {}),
            **length_facts(texts),
            **language_facts(texts),
        },
        task_options=vocabulary_options(data, vocab),
        space_options={"seq_len": max_length},
        spaces=spaces_for(len(questions)),
        notices=tuple(notices),
    )


def _count(paragraphs: Sequence[Paragraph]) -> int:
    return sum(len(paragraph.questions) for paragraph in paragraphs)


def _has_questions(path: Path) -> bool:
    """Return whether a file has articles of SQuAD, or rows of questions, by its beginning."""
    try:
        if not path.is_dir():
            content = read_file(path)
            if not content.startswith(PARQUET):
                begin = as_utf8(content[:_PROBED], path)
                if begin.lstrip()[:1] == b"{" and b'"paragraphs"' in begin:
                    return True
        return has_rows(read_records(path, most=MOST_BYTES))
    except ConfigError:
        return False
