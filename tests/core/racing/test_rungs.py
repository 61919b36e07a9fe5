"""Successive halving as a pure function."""

from __future__ import annotations

import pytest

from denas_core.contracts.task import Metric
from denas_core.racing.rungs import going_on, most_trainings, ordered, rung_epochs

ACCURACY = Metric(name="accuracy")
ERRORS = Metric(name="wer", direction="minimize", worst=1.0)


@pytest.mark.parametrize(
    ("epochs", "entrants", "kinds", "rungs"),
    [
        (27, 27, 1, (1, 3, 9, 27)),
        (27, 9, 1, (3, 9, 27)),
        (30, 9, 3, (3, 10, 30)),
        (18, 6, 1, (6, 18)),
        # A third of two epochs is less than one.
        (2, 9, 1, (2,)),
        (3, 9, 1, (1, 3)),
        (9, 1, 1, (9,)),
        (9, 2, 1, (9,)),
        # The best of each of three kinds goes on: nobody would be left out.
        (30, 3, 3, (30,)),
        (30, 4, 3, (30,)),
    ],
)
def test_each_rung_is_a_third_of_the_next_one(
    epochs: int, entrants: int, kinds: int, rungs: tuple[int, ...]
) -> None:
    assert rung_epochs(epochs, entrants, kinds) == rungs


def test_the_trainings_of_each_rung_have_a_bound() -> None:
    rungs = rung_epochs(27, 27, 1)
    assert most_trainings(len(rungs), 27, 1) == [27, 9, 3, 2]
    assert most_trainings(3, 9, 3) == [9, 5, 4]


def test_the_best_third_and_the_best_of_each_kind_go_on() -> None:
    kinds = dict.fromkeys("abcdef", ("finalist",)) | {"r": ("random",), "s": ("random",), "l": ("largest",)}
    assert going_on(list("abcrdsefl"), kinds) == ["a", "b", "c", "r", "l"]
    assert going_on(list("abcdefrsl"), kinds) == ["a", "b", "c", "r", "l"]
    # A network of two kinds stands for both.
    assert going_on(list("abcdefr"), {**kinds, "a": ("finalist", "largest")}) == ["a", "b", "c", "r"]
    # The winner of the last rung has another one to be compared with.
    assert going_on(["d", "e", "f"], kinds) == ["d", "e"]
    assert going_on(["d"], kinds) == ["d"]


def test_a_tie_goes_to_the_smaller_loss_and_then_to_the_earlier_network() -> None:
    results = {
        "first": {"accuracy": 0.5, "loss": 0.7},
        "second": {"accuracy": 0.5, "loss": 0.6},
        "third": {"accuracy": 0.9, "loss": 9.0},
        "fourth": {"accuracy": 0.5, "loss": 0.6},
    }
    assert ordered(results, ACCURACY) == ["third", "second", "fourth", "first"]


def test_an_error_rate_is_better_if_it_is_smaller_and_all_above_the_worst_are_equal() -> None:
    results = {"a": {"wer": 1.4, "loss": 2.0}, "b": {"wer": 1.1, "loss": 3.0}, "c": {"wer": 0.8, "loss": 4.0}}
    assert ordered(results, ERRORS) == ["c", "a", "b"]
