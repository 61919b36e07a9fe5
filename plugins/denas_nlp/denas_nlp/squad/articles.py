"""Articles in the JSON of SQuAD: paragraphs, questions, and where their answers are."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.parts import read_file

MANY_DAMAGED = 10
"""One damaged question in so many is an error: the file is then of another kind."""

LISTED = 3
"""Questions that are told by their id."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    Attributes:
        id: Its id.
        text: What is asked.
        answers: Texts of its answers; any of them is right.
        spans: Where answers are in the paragraph, as the first character and the one behind the last; those whose text
            is there, first of all the first one.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph with its questions.

    Attributes:
        text: The paragraph.
        questions: What is asked about it.
    """

    text: str
    questions: tuple[Question, ...]


@dataclasses.dataclass(kw_only=True)
class _Findings:
    """What is wrong with a file.

    Attributes:
        questions: Questions, damaged ones too.
        answers: Answers of those that are whole.
        damaged: What is wrong with each damaged question.
        unanswered: Ids of questions without an answer, of which SQuAD 2.0 has many.
        shifted: Ids of questions with an answer that is not what its place says.
        lost: How many such answers are not even there but for white space.
    """

    questions: int = 0
    answers: int = 0
    damaged: list[str] = dataclasses.field(default_factory=list)
    unanswered: list[str] = dataclasses.field(default_factory=list)
    shifted: list[str] = dataclasses.field(default_factory=list)
    lost: int = 0


def read_articles(path: Path) -> tuple[list[Paragraph], tuple[str, ...]]:
    """Return the paragraphs of a file that have questions, and notices of what does not fit.

    A question that is damaged or has no answer is left out. An answer that is not at its place is kept as a text to
    compare with; if it differs from the paragraph in white space alone, its place is right.

    Raises:
        ConfigError: it cannot be read, is of another kind, or has many damaged questions.
    """
    try:
        document = json.loads(read_file(path).removeprefix(b"\xef\xbb\xbf"))
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is no JSON (line {error.lineno}: {error.msg}); fetch it again"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{str(path)!r} is no JSON ({type(error).__name__}); fetch it again") from error
    findings = _Findings()
    paragraphs = [
        paragraph
        for article in _list(document, "data", path)
        for entry in _list(article, "paragraphs", path)
        if (paragraph := _paragraph(entry, findings, path)).questions
    ]
    return paragraphs, _notices(findings, path, any(paragraphs))


def place_of(answer: str, start: int, text: str) -> tuple[tuple[int, int] | None, bool]:
    """Return where in `text` an answer is, and whether it is there to the letter.

    Args:
        answer: Its text.
        start: Its first character, as the data says.
        text: The paragraph.
    """
    if start >= 0 and answer and text.startswith(answer, start):
        return (start, start + len(answer)), True
    words = [re.escape(word) for word in answer.split()]
    found = re.compile(r"\s*" + r"\s+".join(words)).match(text, start) if words and start >= 0 else None
    return (None if found is None else found.span()), False


def _paragraph(entry: Any, findings: _Findings, path: Path) -> Paragraph:
    text = entry.get("context") if isinstance(entry, dict) else None
    questions = []
    for each in _list(entry, "qas", path):
        findings.questions += 1
        question = _question(each, text, findings)
        if isinstance(question, str):
            findings.damaged.append(question)
        elif question.answers:
            questions.append(question)
    return Paragraph(text=text if isinstance(text, str) else "", questions=tuple(questions))


def _question(entry: Any, text: Any, findings: _Findings) -> Question | str:
    if not isinstance(entry, dict):
        return f"{safe_repr(entry, 40)} is no question"
    id, asked, given = (entry.get(key) for key in ("id", "question", "answers"))
    if not _is_text(text):
        return f"the paragraph of {safe_repr(id, 40)} has no 'context'"
    if not isinstance(id, str) or not _is_text(asked) or not isinstance(given, list):
        return f"{safe_repr(id, 40)} lacks 'id', 'question' or 'answers'"
    answers: list[str] = []
    spans: list[tuple[int, int]] = []
    for answer in given:
        words, start = (
            (answer.get("text"), answer.get("answer_start")) if isinstance(answer, dict) else (0, 0)
        )
        if not _is_text(words) or type(start) is not int:
            return f"{safe_repr(id, 40)} has an answer without 'text' or 'answer_start'"
        span, is_exact = place_of(words, start, text)
        answers.append(words)
        spans += [] if span is None else [span]
        if not is_exact:
            findings.shifted.append(id)
            findings.lost += span is None
    findings.answers += len(answers)
    if not answers:
        findings.unanswered.append(id)
    return Question(id=id, text=asked, answers=tuple(answers), spans=tuple(spans))


def _is_text(value: Any) -> TypeGuard[str]:
    # JSON may hold half of a character that takes two, which no tokenizer takes.
    return isinstance(value, str) and bool(value.strip()) and not re.search("[\ud800-\udfff]", value)


def _list(entry: Any, key: str, path: Path) -> Iterator[Any]:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, list):
        raise ConfigError(
            f"{str(path)!r} is not laid out as SQuAD v1.1: {safe_repr(entry, 60)} has no list {key!r}"
        )
    return iter(found)


def _notices(findings: _Findings, path: Path, has_some: bool) -> tuple[str, ...]:
    total, name = findings.questions, path.name
    listed = f"{'; '.join(findings.damaged[:LISTED])}{'; ...' if len(findings.damaged) > LISTED else ''}"
    if len(findings.damaged) * MANY_DAMAGED > total:
        raise ConfigError(
            f"{len(findings.damaged)} of the {total} questions of {str(path)!r} are damaged: {listed}; fetch it again"
        )
    if not has_some:
        raise ConfigError(f"{str(path)!r} has no question with an answer; give questions as in SQuAD v1.1")
    notices = []
    if findings.damaged:
        notices.append(
            f"{len(findings.damaged)} of the {total} questions of {name!r} are damaged and left out: {listed}"
        )
    if findings.unanswered:
        notices.append(
            f"{len(findings.unanswered)} of the {total} questions of {name!r} have no answer and are left out, since "
            f"SQuAD v1.1 has none such: {_some(findings.unanswered)}"
        )
    if findings.shifted:
        notices.append(
            f"{len(findings.shifted)} of the {findings.answers} answers in {name!r} are not what is at their place, "
            f"{findings.lost} of them not even but for white space: {_some(findings.shifted)}"
        )
    return tuple(notices)


def _some(ids: list[str]) -> str:
    return ", ".join(safe_repr(id, 40) for id in ids[:LISTED]) + (", ..." if len(ids) > LISTED else "")
