"""The JSON of SQuAD: answers that are not at their place, and what is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_nlp.squad.questions import Paragraph, Question, place_of
from denas_nlp.squad.reading import read_questions
from tests.nlp.texts import REAL, needs_real_data, squad, write_json

TEXT = "The old  town\nlies by the river."


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_questions(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def questions(path: Path) -> list[Question]:
    return [question for paragraph in read_questions(path)[0] for question in paragraph.questions]


def many(*bad: Any) -> dict[str, Any]:
    """Return a document of 30 good questions, and others."""
    document = squad((TEXT, [("Where?", "by the river", 19)] * 30))
    document["data"][0]["paragraphs"][0]["qas"] += bad
    return document


def test_a_paragraph_has_its_questions_and_they_have_their_answers(tmp_path: Path) -> None:
    path = write_json(tmp_path / "d.json", squad((TEXT, [("Where is it?", "by the river", 19)])))
    expected = Question(id="q0-0", text="Where is it?", answers=("by the river",), spans=((19, 31),))
    assert read_questions(path) == ([Paragraph(text=TEXT, questions=(expected,))], ())


@pytest.mark.parametrize(
    ("answer", "start", "place", "is_exact"),
    [
        ("old", 4, (4, 7), True),
        ("old  town", 4, (4, 13), True),
        # White space alone differs: the place of what is there is given.
        ("old town", 4, (4, 13), False),
        ("town lies", 9, (9, 18), False),
        (" old", 4, (4, 7), False),
        ("old", 3, (3, 7), False),
        ("old", 5, None, False),
        ("old", -4, None, False),
        ("river.", 26, (26, 32), True),
        ("river. It", 26, None, False),
        ("old", 10**9, None, False),
        ("a+b", 0, None, False),
    ],
)
def test_answers_are_looked_for_at_their_place(
    answer: str, start: int, place: tuple[int, int] | None, is_exact: bool
) -> None:
    assert place_of(answer, start, TEXT) == (place, is_exact)


def test_answers_that_are_not_at_their_place_are_told_and_kept_as_texts(tmp_path: Path) -> None:
    path = write_json(
        tmp_path / "dev.json",
        squad((TEXT, [("Where?", "by the river", 19), ("What?", "old town", 4), ("Who?", "a mill", 2)])),
    )
    _, [notice] = read_questions(path)
    assert notice == (
        "2 of the 3 answers of 'dev.json' are not the text at their position, and 1 of these differ in more than "
        "white space: 'q0-1', 'q0-2'"
    )
    found = questions(path)
    assert [question.answers for question in found] == [("by the river",), ("old town",), ("a mill",)]
    assert [question.spans for question in found] == [((19, 31),), ((4, 13),), ()]


def test_damaged_questions_are_left_out_and_told(tmp_path: Path) -> None:
    whole = {"id": "x", "question": "Who?", "answers": [{"text": "old", "answer_start": 4}]}
    path = write_json(
        tmp_path / "dev.json",
        many({**whole, "answers": "old"}, {**whole, "question": 7}, {**whole, "answers": [{"text": "old"}]}),
    )
    assert len(questions(path)) == 30
    assert read_questions(path)[1] == (
        "3 of the 33 questions of 'dev.json' are damaged and were left out: 'x' has no list 'answers'; 'x' has no "
        "'question'; 'x' has an answer without 'text' or 'answer_start'",
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "old", "answer_start": True},
        {"text": "old", "answer_start": 4.0},
        {"text": "", "answer_start": 4},
        {"text": None, "answer_start": 4},
        {"text": "\ud800", "answer_start": 4},
        "old",
        None,
    ],
)
def test_a_damaged_answer_damages_its_question(tmp_path: Path, answer: Any) -> None:
    path = write_json(tmp_path / "dev.json", many({"id": "x", "question": "Who?", "answers": [answer]}))
    assert "1 of the 31 questions of 'dev.json' are damaged" in read_questions(path)[1][0]


def test_questions_without_an_answer_are_kept_unless_they_have_one(tmp_path: Path) -> None:
    empty = {"id": "x", "question": "Who?", "answers": [], "is_impossible": True}
    wrong = {**empty, "id": "y", "answers": [{"text": "old", "answer_start": 4}]}
    path = write_json(tmp_path / "dev.json", many(empty, wrong))
    found = questions(path)
    assert (len(found), found[-1].id, found[-1].answers) == (31, "x", ())
    assert read_questions(path)[1] == (
        "1 of the 32 questions of 'dev.json' are damaged and were left out: 'y' is impossible ('is_impossible'), but "
        "has answers",
    )


def test_ids_may_be_numbers_or_missing(tmp_path: Path) -> None:
    whole = {"question": "Who?", "answers": [{"text": "old", "answer_start": 4}]}
    path = write_json(tmp_path / "dev.json", many({**whole, "id": 7}, whole))
    assert [question.id for question in questions(path)[-2:]] == ["7", "question 32"]
    assert read_questions(path)[1] == ()


def test_many_damaged_questions_or_none_at_all_are_an_error(tmp_path: Path) -> None:
    message = refused(write_json(tmp_path / "a.json", many(*[{"id": "x"}] * 4)))
    assert message.startswith("4 of the 34 questions of ")
    assert message.endswith(
        "; ...; give questions as in SQuAD, each with 'context', 'question' and 'answers'"
    )
    empty = {"id": "x", "question": "Who?", "answers": []}
    document = squad((TEXT, []))
    document["data"][0]["paragraphs"][0]["qas"] = [empty]
    assert "has no question with an answer" in refused(write_json(tmp_path / "b.json", document))
    assert "has no question with an answer" in refused(write_json(tmp_path / "c.json", {"data": []}))


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"data": {}},
        {"data": [7]},
        {"data": [{"paragraphs": None}]},
        {"data": [{"paragraphs": [{"context": "x"}]}]},
    ],
)
def test_a_document_of_another_kind_is_refused(tmp_path: Path, document: Any) -> None:
    assert "is not laid out as SQuAD: " in refused(write_json(tmp_path / "x.json", document))


def test_what_is_no_json_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    whole = json.dumps(squad((TEXT, [("Where?", "by the river", 19)])), indent=1)
    for content, reason in (
        (whole[:-30].encode(), "is not JSON (line "),
        (b'{"data": "\xff"}', "is not JSON (line 1 is not UTF-8: invalid start byte)"),
        (b"", "is empty; give questions as in SQuAD"),
        (b"[" * 100_000, "is not JSON of a table (its brackets are nested too deeply)"),
    ):
        path.write_bytes(content)
        assert reason in refused(path)


REAL_COUNTS = [
    ("train-v1.1.json", 583, 3807, 3807, 0),
    ("train-2k-v1.1.json", 299, 2180, 2180, 0),
    ("dev-v1.1.json", 88, 359, 1340, 3),
    ("xquad.en.json", 240, 1190, 1190, 0),
    ("new_wiki-dev500.json", 154, 757, 2183, 0),
]


@needs_real_data
@pytest.mark.parametrize(("name", "paragraphs", "asked", "answers", "shifted"), REAL_COUNTS)
def test_the_real_files_are_read_to_the_last_question(
    name: str, paragraphs: int, asked: int, answers: int, shifted: int
) -> None:
    path = REAL / "squad" / name
    found, notices = read_questions(path)
    each = [question for paragraph in found for question in paragraph.questions]
    assert (len(found), len(each)) == (paragraphs, asked)
    assert sum(len(question.answers) for question in each) == answers
    # Those that are not at their position differ in white space only.
    assert sum(len(question.spans) for question in each) == answers
    expected = f"{shifted} of the {answers} answers of {name!r} are not the text at their position"
    assert [notice.partition(",")[0] for notice in notices] == [expected] * bool(shifted)
