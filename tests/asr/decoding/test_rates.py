"""Word and character error rates: worked cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from denas_asr.decoding.rates import Errors, character_errors, word_errors, word_errors_by_utterance


@pytest.mark.parametrize(
    ("said", "understood", "expected", "rate"),
    [
        (["one two three"], ["one two three"], Errors(0, 0, 0, 3), 0.0),
        # two -> too; three not heard; four never said.
        (["one two three", "five"], ["one too", "five four"], Errors(1, 1, 1, 4), 3 / 4),
        # More errors than words.
        (["one"], ["two three four"], Errors(1, 0, 2, 1), 3.0),
        (["one two"], [""], Errors(0, 2, 0, 2), 1.0),
        # An empty reference adds what was never said, beside others that have words.
        (["", "one two three four"], ["well well", "one two three four"], Errors(0, 0, 2, 4), 0.5),
        ([""], [""], Errors(0, 0, 0, 0), 0.0),
        ([""], ["well well"], Errors(0, 0, 2, 0), 2.0),
        ([], [], Errors(0, 0, 0, 0), 0.0),
        # White space of any kind separates words and is nothing else.
        ([" one\ttwo  three\n"], ["one two three"], Errors(0, 0, 0, 3), 0.0),
        # As given: case and punctuation count.
        (["One, two"], ["one two"], Errors(1, 0, 0, 2), 0.5),
    ],
)
def test_word_errors(said: list[str], understood: list[str], expected: Errors, rate: float) -> None:
    errors = word_errors(said, understood)
    assert errors == expected
    assert errors.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("said", "understood", "expected", "rate"),
    [
        (["abc"], ["abc"], Errors(0, 0, 0, 3), 0.0),
        # A space is a character: it is not heard here, and c becomes d.
        (["ab c"], ["abd"], Errors(1, 1, 0, 4), 2 / 4),
        (["", "ab"], ["x", "ab"], Errors(0, 0, 1, 2), 0.5),
        (["ab"], ["ab "], Errors(0, 0, 1, 2), 0.5),
        (["Éa"], ["éa"], Errors(1, 0, 0, 2), 0.5),
        ([], [], Errors(0, 0, 0, 0), 0.0),
    ],
)
def test_character_errors(said: list[str], understood: list[str], expected: Errors, rate: float) -> None:
    errors = character_errors(said, understood)
    assert errors == expected
    assert errors.rate == pytest.approx(rate)


def test_rates_are_of_sums_and_no_means_of_rates() -> None:
    # 1 of 1 and 0 of 9: 0.1, where the mean of both would be 0.5.
    assert word_errors(["a", "b " * 9], ["x", "b " * 9]).rate == pytest.approx(0.1)


@pytest.mark.parametrize("count", [word_errors, character_errors])
def test_texts_without_a_partner_are_refused(count: Callable[[list[str], list[str]], Errors]) -> None:
    with pytest.raises(ValueError, match="lengths must match"):
        count(["a", "b"], ["a"])


def test_the_errors_of_utterances_add_up_to_those_of_all() -> None:
    said = ["one two three", "", "go", "a b c d", "same here"]
    understood = ["one too three four", "well well", "", "b c x y z", "same here"]
    found = word_errors_by_utterance(said, understood)
    assert found == [2, 2, 1, 4, 0]
    everything = word_errors(said, understood)
    assert sum(found) == everything.substitutions + everything.deletions + everything.insertions
