"""Questions about a paragraph, whatever the format of the file is, and what is wrong with them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.faults import damage_notices

LISTED = 3
"""Number of questions that are listed by id."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and its answers.

    Attributes:
        id: Its id.
        text: The question.
        answers: Texts of its answers; each of them is correct. Empty if the paragraph does not answer the question.
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


def answerable(paragraphs: Sequence[Paragraph]) -> tuple[list[Paragraph], int]:
    """Return the paragraphs with the questions that can be learnt, and the number of the other questions."""
    kept = [
        dataclasses.replace(
            paragraph,
            questions=tuple(
                question for question in paragraph.questions if question.spans or not question.answers
            ),
        )
        for paragraph in paragraphs
    ]
    lost = sum(
        len(before.questions) - len(now.questions) for before, now in zip(paragraphs, kept, strict=True)
    )
    return [paragraph for paragraph in kept if paragraph.questions], lost


def unanswered(paragraphs: Sequence[Paragraph]) -> int:
    """Return the number of questions that their paragraph does not answer."""
    return sum(not question.answers for paragraph in paragraphs for question in paragraph.questions)


@dataclasses.dataclass(kw_only=True)
class QuestionReader:
    """Reads the questions of a file, and counts what is wrong with them.

    Attributes:
        questions: Number of questions, including damaged ones.
        answers: Number of answers to undamaged questions.
        damaged: The fault of each damaged question.
        shifted: Ids of questions with an answer whose text differs from the text at its position.
        lost: Number of these answers that differ in more than white space.
    """

    questions: int = 0
    answers: int = 0
    damaged: list[str] = dataclasses.field(default_factory=list)
    shifted: list[str] = dataclasses.field(default_factory=list)
    lost: int = 0

    def read(self, entry: Any, text: Any) -> Question | None:
        """Return a question; None if it is damaged.

        Args:
            entry: What should be a mapping with ``question`` and a list ``answers``; ``id`` may be missing.
            text: What should be its paragraph.
        """
        self.questions += 1
        found = self._question(entry, text)
        if isinstance(found, str):
            self.damaged.append(found)
            return None
        return found

    def _question(self, entry: Any, text: Any) -> Question | str:
        if not isinstance(entry, Mapping):
            return f"{safe_repr(entry, 40)} is not a question"
        given_id, asked, given = (entry.get(key) for key in ("id", "question", "answers"))
        id = f"question {self.questions}" if given_id is None else str(given_id)
        name = safe_repr(id, 40)
        if not _is_text(text):
            return f"the paragraph of {name} has no 'context'"
        if not _is_text(asked):
            return f"{name} has no 'question'"
        if not isinstance(given, (list, tuple)):
            return f"{name} has no list 'answers'"
        if entry.get("is_impossible") is True and given:
            return f"{name} is impossible ('is_impossible'), but has answers"
        answers: list[str] = []
        spans: list[tuple[int, int]] = []
        shifted = lost = 0
        for answer in given:
            words, start = (
                (answer.get("text"), answer.get("answer_start")) if isinstance(answer, Mapping) else (0, 0)
            )
            if not _is_text(words) or type(start) is not int:
                return f"{name} has an answer without 'text' or 'answer_start'"
            span, is_exact = place_of(words, start, text)
            answers.append(words)
            spans += [] if span is None else [span]
            shifted += not is_exact
            lost += span is None
        self.shifted += [id] * shifted
        self.lost += lost
        self.answers += len(answers)
        return Question(id=id, text=asked, answers=tuple(answers), spans=tuple(spans))

    def notices(self, path: Path, paragraphs: Sequence[Paragraph]) -> tuple[str, ...]:
        """Return notices about what is wrong.

        Raises:
            ConfigError: many questions are damaged, or none has an answer.
        """
        name = path.name
        damage = damage_notices(
            path,
            self.damaged,
            self.questions,
            items="questions",
            listed=LISTED,
            way_out="give questions as in SQuAD, each with 'context', 'question' and 'answers'",
        )
        if not any(question.answers for paragraph in paragraphs for question in paragraph.questions):
            raise ConfigError(f"{str(path)!r} has no question with an answer; give questions as in SQuAD")
        if not self.shifted:
            return damage
        return (
            *damage,
            f"{len(self.shifted)} of the {self.answers} answers of {name!r} are not the text at their position, and "
            f"{self.lost} of these differ in more than white space: {_some(self.shifted)}",
        )


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


def _is_text(value: Any) -> TypeGuard[str]:
    # JSON may contain half of a surrogate pair, which tokenizers cannot process.
    return isinstance(value, str) and bool(value.strip()) and not re.search("[\ud800-\udfff]", value)


def _some(ids: Sequence[str]) -> str:
    return ", ".join(safe_repr(id, 40) for id in ids[:LISTED]) + (", ..." if len(ids) > LISTED else "")
