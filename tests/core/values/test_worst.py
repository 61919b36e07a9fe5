"""The most wrong answers, counted by hand."""

from __future__ import annotations

import json

import torch

from denas_core import WrongAnswer, worst_answers
from denas_core.values.worst import LONGEST_TEXT, MOST_ANSWERS


def wrong(sample: str, errors: float, answered: str | None = "b") -> WrongAnswer:
    return WrongAnswer(sample=sample, expected="a", answered=answered, errors=errors)


def test_the_worst_answers_come_first_and_right_ones_are_only_counted() -> None:
    found = worst_answers(
        [wrong("one", 1), wrong("none", 0), wrong("three", 3, None), wrong("1", 1)], "errors"
    )
    assert found == {
        "errors": "errors",
        "samples": 4,
        "wrong": 3,
        "answers": [
            {"sample": "three", "expected": "a", "answered": None, "errors": 3.0},
            {"sample": "one", "expected": "a", "answered": "b", "errors": 1.0},
            {"sample": "1", "expected": "a", "answered": "b", "errors": 1.0},
        ],
    }


def test_a_few_answers_of_many_are_kept_and_long_texts_are_cut() -> None:
    found = worst_answers((wrong("x" * 9000, number) for number in range(1, 500)), "errors")
    assert [one["errors"] for one in found["answers"]] == [499.0 - place for place in range(MOST_ANSWERS)]
    assert {len(one["sample"]) for one in found["answers"]} == {LONGEST_TEXT}
    assert found["answers"][0]["sample"].endswith("x…")


def test_a_network_that_has_diverged_leaves_an_answer_that_json_can_represent() -> None:
    found = worst_answers([wrong("nan", float("nan")), wrong("far", float("inf"))], "difference")
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "errors": "difference",
        "samples": 0,
        "wrong": 0,
        "answers": [],
    }


def test_each_label_that_is_missing_or_too_many_is_an_error() -> None:
    truth, said = (
        torch.tensor([[True, False, True], [False] * 3]),
        torch.tensor([[True, True, False], [False] * 3]),
    )
    found = list(WrongAnswer.of_labels(truth, said, ["ant", "bee", "cat"], "image {}".format))
    assert found == [
        WrongAnswer(sample="image 0", expected="ant, cat", answered="ant, bee", errors=2),
        WrongAnswer(sample="image 1", expected="", answered="", errors=0),
    ]
