"""Questions without an answer, as in SQuAD 2.0, and questions in the rows of a table."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core.errors import ConfigError
from denas_nlp.squad.answers import measured
from denas_nlp.squad.best import best_answers
from denas_nlp.squad.reading import read_questions
from denas_nlp.squad.split import QuestionSplit
from denas_nlp.squad.task import Squad
from tests.nlp.texts import squad, write_json, write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")
TEXT = "the old town, rivers of the town, a river in 1817."
QUESTIONS = [("river in the town", "rivers", TEXT.index("rivers")), ("in", "1817", TEXT.index("1817"))]
OPTIONS: dict[str, Any] = {"max_length": 40, "query_length": 5, "n_best": 3}


def version_2(*, empty: int) -> dict[str, Any]:
    """Return a document in which the question of this number has no answer."""
    document = squad((TEXT, QUESTIONS))
    asked = document["data"][0]["paragraphs"][0]["qas"][empty]
    asked |= {"answers": [], "plausible_answers": asked["answers"], "is_impossible": True}
    return document


def write(folder: Path, document: dict[str, Any]) -> Path:
    write_vocab(folder)
    for name in ("train-v2.0.json", "dev-v2.0.json"):
        write_json(folder / name, document)
    return folder


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "context": TEXT,
            "question": question,
            "answers": {"text": [answer], "answer_start": [start]},
        }
        for number, (question, answer, start) in enumerate(QUESTIONS)
    ]


def test_questions_without_an_answer_are_learnt_at_the_first_token(tmp_path: Path) -> None:
    data = Squad(**OPTIONS).read(write(tmp_path, version_2(empty=1)), SPACE)
    assert data.train is not None and len(data.train) == 2
    assert data.facts["no_answer"] is True and not data.notices
    assert data.train.sample(1).targets == (0, 0)
    (one := tmp_path / "one").mkdir()
    assert Squad(**OPTIONS).read(write(one, squad((TEXT, QUESTIONS))), SPACE).facts["no_answer"] is False


def test_no_answer_wins_if_its_score_exceeds_the_best_one_by_the_threshold(tmp_path: Path) -> None:
    task = Squad(**OPTIONS)
    split = task.read(write(tmp_path, version_2(empty=1)), SPACE).valid
    assert isinstance(split, QuestionSplit) and split.may_lack_answers
    likely = torch.full((2, 2, 4, 2), -torch.inf)
    likely[..., 0] = 0
    lead = split.leads[0]
    for window, (place, score, none) in enumerate(((4, 5.0, 1.0), (1, 2.0, 4.0))):
        likely[window, :, 0] = torch.tensor([place + split.leads[window], score])
        likely[window, :, -1] = torch.tensor([0.0, none])
    assert lead > 0
    first = split.text(0, 4, 4)
    assert best_answers(likely, split, longest=30, threshold=0.0) == [first, ""]
    assert best_answers(likely, split, longest=30, threshold=5.0) == [first, split.text(1, 1, 1)]
    assert best_answers(likely, split, longest=30, threshold=-9.0) == ["", ""]
    assert best_answers(likely, split, longest=30)[1] != ""


def test_official_metrics_are_given_for_both_kinds_of_questions() -> None:
    pairs = [("old town", ["the old town"]), ("town", ["old town"]), ("", []), ("river", []), ("", ["river"])]
    assert measured(pairs) == {
        "f1": pytest.approx((1 + 2 / 3 + 1 + 0 + 0) / 5),
        "exact_match": pytest.approx(2 / 5),
        "no_answer": pytest.approx(1 / 2),
        "has_answer_f1": pytest.approx((1 + 2 / 3) / 3),
        "has_answer_exact_match": pytest.approx(1 / 3),
    }
    assert measured([("", []), ("the", [])]) == {"f1": 1.0, "exact_match": 1.0, "no_answer": 1.0}


def test_a_model_that_never_saw_such_questions_answers_them_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    facts = Squad(**OPTIONS).read(write(tmp_path / "one", squad((TEXT, QUESTIONS))), SPACE).facts
    data = Squad(**OPTIONS).read(write(tmp_path, version_2(empty=0)), SPACE, facts=facts)
    assert data.notices[0].startswith(
        "1 of the 2 questions have no answer, but the training had no such questions"
    )


def test_shifted_positions_are_named_in_the_error(tmp_path: Path) -> None:
    shifted = [(question, answer, start + 1) for question, answer, start in QUESTIONS]
    with pytest.raises(ConfigError) as caught:
        Squad(**OPTIONS).read(write(tmp_path, squad((TEXT, shifted))), SPACE)
    assert "can be learnt, because no answer is at its position in the paragraph" in str(caught.value)
    assert "2 of the 2 answers of 'train-v2.0.json' are not the text at their position" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["lines", "list", "object", "csv", "numpy", "flat"])
def test_rows_of_questions_are_the_same_paragraphs(tmp_path: Path, form: str) -> None:
    path = tmp_path / "rows.dat"
    given = rows()
    if form in ("lines", "list", "object"):
        lines = "\n".join(map(json.dumps, given))
        path.write_text(
            {"lines": lines, "list": json.dumps(given), "object": json.dumps({"data": given})}[form]
        )
    else:
        table = copy.deepcopy(given)
        for row in table:
            answers = row.pop("answers")
            if form == "flat":
                row |= {"answer_text": answers["text"][0], "answer_start": answers["answer_start"][0]}
            elif form == "csv":
                row["answers"] = json.dumps(answers)
            else:
                row["answers"] = (
                    f"{{'text': array(['{answers['text'][0]}'],\n dtype=object), "
                    f"'answer_start': array([{answers['answer_start'][0]}], dtype=int32)}}"
                )
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, table[0])
            writer.writeheader()
            writer.writerows(table)
    (paragraph,), notices = read_questions(path)
    assert paragraph.text == TEXT and not notices
    assert [(each.id, each.text, each.answers) for each in paragraph.questions] == [
        (str(number), question, (answer,)) for number, (question, answer, _) in enumerate(QUESTIONS)
    ]
    assert [TEXT[slice(*each.spans[0])] for each in paragraph.questions] == ["rivers", "1817"]


def test_an_empty_list_of_a_row_is_no_answer_and_one_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    empty = {**rows()[0], "answers": {"text": [], "answer_start": []}}
    path.write_text("\n".join(map(json.dumps, [*rows() * 10, empty, {**rows()[0], "answers": "[what"}])))
    (paragraph,), [notice] = read_questions(path)
    assert paragraph.questions[-1].answers == ()
    assert "1 of the 22 questions of 'rows.jsonl' are damaged" in notice


def test_a_description_says_which_version_it_is(tmp_path: Path) -> None:
    found = Squad().describe(write(tmp_path, version_2(empty=1)))
    assert found is not None and found.exact and found.format.endswith("SQuAD 2.0")
    assert found.samples == {"train": 2, "valid": 2}
    assert found.facts["questions without an answer"] == 1
    (tmp_path / "table.csv").write_text("text,label\na b,1\nc d,0\n")
    assert Squad().describe(tmp_path / "table.csv") is None


def test_chance_is_no_answer_to_any_question(tmp_path: Path) -> None:
    data = Squad(**OPTIONS).read(write(tmp_path, version_2(empty=1)), SPACE)
    assert Squad(**OPTIONS).chance({}, data.valid) == 0.5
