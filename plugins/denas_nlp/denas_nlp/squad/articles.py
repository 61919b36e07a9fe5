"""Read articles in the JSON format of SQuAD: paragraphs, questions, and the positions of their answers."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.content import read_text

MANY_DAMAGED = 10
"""If more than one in this many questions is damaged, the file is refused: it probably has another format."""

LISTED = 3
"""Number of questions that are listed by id."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and its answers.

    Attributes:
        id: Its id.
        text: The question.
        answers: Texts of its answers; each of them is correct.
        spans: Positions of the answers that were found in the paragraph, as first character and end (exclusive), in the
            order of the answers.
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
        questions: The questions about it.
    """

    text: str
    questions: tuple[Question, ...]


@dataclasses.dataclass(kw_only=True)
class _Findings:
    """The faults of a file.

    Attributes:
        questions: Number of questions, including damaged ones.
        answers: Number of answers to undamaged questions.
        damaged: The fault of each damaged question.
        unanswered: Ids of questions without an answer, which are common in SQuAD 2.0.
        shifted: Ids of questions with an answer whose text differs from the text at its position.
        lost: Number of these answers that differ in more than white space.
    """

    questions: int = 0
    answers: int = 0
    damaged: list[str] = dataclasses.field(default_factory=list)
    unanswered: list[str] = dataclasses.field(default_factory=list)
    shifted: list[str] = dataclasses.field(default_factory=list)
    lost: int = 0


def read_articles(path: Path) -> tuple[list[Paragraph], tuple[str, ...]]:
    """Return the paragraphs of a file that have questions, and notices about faults.

    Questions that are damaged or have no answer are left out. An answer whose text is not at its position is used only
    as a text to compare with; if it differs from the paragraph only in white space, its position is used too.

    Raises:
        ConfigError: the file cannot be read, has another format, or has many damaged questions.
    """
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is not JSON (line {error.lineno}: {error.msg}); download it again"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{str(path)!r} is not JSON ({type(error).__name__}); download it again") from error
    findings = _Findings()
    paragraphs = [
        paragraph
        for article in _list(document, "data", path)
        for entry in _list(article, "paragraphs", path)
        if (paragraph := _paragraph(entry, findings, path)).questions
    ]
    return paragraphs, _notices(findings, path, any(paragraphs))


def place_of(answer: str, start: int, text: str) -> tuple[tuple[int, int] | None, bool]:
    """Return the position of an answer in `text`, and whether the text there is exactly the answer.

    Args:
        answer: The text of the answer.
        start: Its first character according to the data.
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
        return f"{safe_repr(entry, 40)} is not a question"
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
    # JSON may contain half of a surrogate pair, which tokenizers cannot process.
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
            f"{len(findings.damaged)} of the {total} questions of {str(path)!r} are damaged: {listed}; "
            "download it again"
        )
    if not has_some:
        raise ConfigError(f"{str(path)!r} has no question with an answer; give questions as in SQuAD v1.1")
    notices = []
    if findings.damaged:
        notices.append(
            f"{len(findings.damaged)} of the {total} questions of {name!r} are damaged and were left out: {listed}"
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
