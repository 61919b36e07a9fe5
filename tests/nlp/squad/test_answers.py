"""When an answer is right: worked cases of the official exact match and F1."""

from __future__ import annotations

import pytest

from denas_nlp.squad.answers import differing_words, exact_match, f1, measured, normalised, wrong_answer
from denas_nlp.squad.questions import Question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Rivers of  a\tTown!", "rivers of town"),
        ("an apple, a day", "apple day"),
        # Articles are whole words, also where punctuation was between them.
        ("theatre and an Anagram", "theatre and anagram"),
        ("the-end", "theend"),
        ("a", ""),
        ("U.S.A.", "usa"),
        # Only punctuation of ASCII goes, as in the official script.
        ("“the” 7,000,000 km²", "“ ” 7000000 km²"),
        ("", ""),
    ],
)
def test_texts_are_normalised(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("found", "answer", "same", "shared"),
    [
        ("Denver Broncos", "the denver broncos.", 1.0, 1.0),
        # Words: [the] 7 seas of rhye; seven seas of rhye -> 3 of 4 and of 4.
        ("the 7 seas of Rhye", "seven seas of Rhye", 0.0, 3 / 4),
        # 1 shared of 3 found and 1 asked for: precision 1/3, recall 1.
        ("Saint Bernadette Soubirous", "Bernadette", 0.0, 2 * (1 / 3) / (1 / 3 + 1)),
        # A word counts as often as it is there in both.
        ("very very old", "very old", 0.0, 2 * (2 / 3) / (2 / 3 + 1)),
        ("river", "town", 0.0, 0.0),
        ("", "town", 0.0, 0.0),
        # Nothing is left of either: the same text, without a word to share.
        ("the", "a", 1.0, 0.0),
    ],
)
def test_worked_cases(found: str, answer: str, same: float, shared: float) -> None:
    assert exact_match(found, answer) == same
    assert f1(found, answer) == pytest.approx(shared)
    assert f1(answer, found) == pytest.approx(shared)


def test_the_answer_that_suits_best_counts_for_each_measure_and_the_mean_over_questions() -> None:
    found = measured(
        [
            ("in 1817", ["1817", "the year 1817", "in 1817 or so"]),
            ("the town", ["Town"]),
            ("", ["anything"]),
        ]
    )
    # 2 of 2 and of 4 words; all of one; none.
    assert found == {"f1": pytest.approx((2 * 2 / (2 + 4) + 1 + 0) / 3), "exact_match": pytest.approx(1 / 3)}


def test_words_that_only_one_answer_has_are_wrong() -> None:
    assert differing_words("the old mill", "an old town of rivers") == 1 + 3
    assert differing_words("The mill.", "mill") == differing_words("", "") == 0
    question = Question(id="q", text="where", answers=("the river", "a mill by the river"), spans=())
    found = wrong_answer(question, "by river")
    assert (found.sample, found.expected, found.errors) == ("where", "the river", 1)
    unanswerable = Question(id="q", text="where", answers=(), spans=())
    assert wrong_answer(unanswerable, "by river").errors == 2
