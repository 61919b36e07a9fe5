"""Messages: they arrive as they were sent, and what is not an answer is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation
from denas_core.workers.job import answer_to
from denas_core.workers.messages import LARGEST_ANSWER, Answer, Work

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
NAMES = st.text(max_size=20)


@given(
    st.dictionaries(NAMES, NUMBERS, max_size=8),
    st.dictionaries(NAMES, NUMBERS | st.integers(0, 2**62), max_size=8),
    st.text(min_size=1, max_size=200),
)
def test_an_evaluation_arrives_bit_for_bit(
    components: dict[str, float], metrics: dict[str, float], reason: str
) -> None:
    for sent in (
        Evaluation(state="scored", components=components, metrics=metrics, seconds={"a": 0.1}),
        Evaluation(state="infeasible", reason=reason, metrics=metrics, violation=0.3),
    ):
        answer = Answer.decode(Answer(7, sent).encode())
        assert answer == Answer(7, sent)
        assert {type(value) for value in answer.evaluation.metrics.values()} == {
            type(value) for value in sent.metrics.values()
        }


def test_an_architecture_arrives_with_its_order_and_key() -> None:
    arch = Architecture("cv/x", {"b": 2, "a": "text", "c": True, "d": 0.5}, "0" * 32)
    found = Work.decode(Work(3, arch).encode())
    assert (found.lease, found.arch, list(found.arch.values.items())) == (3, arch, list(arch.values.items()))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"rubbish",
        b"[1, 2]",
        b"{}",
        b'{"lease": "1"}',
        b'{"lease": 1}',
        b'{"lease": 1, "state": "fine", "reason": ""}',
        b'{"lease": 1, "raised": "rubbish"}',
        b"\xff\xfe",
        b"x" * (LARGEST_ANSWER + 1),
        json.dumps({"lease": 1, "state": "scored", "reason": "", "components": {"a": "1"}}).encode(),
    ],
)
def test_what_is_not_an_answer_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Answer.decode(message)


def test_numbers_that_cannot_be_stored_are_refused() -> None:
    good = json.loads(Answer(1, Evaluation(state="scored", components={"a": 1.0})).encode())
    for value in (math.nan, math.inf, True, None, [1]):
        with pytest.raises(ValueError, match=r".+"):
            Answer.decode(json.dumps({**good, "components": {"a": value}}).encode())


def test_a_result_that_cannot_be_sent_fails() -> None:
    def evaluate(arch: Any) -> Evaluation:
        return Evaluation(state="scored", components={"a": object()})  # type: ignore[dict-item]

    answer = Answer.decode(answer_to(evaluate, Work(5, Architecture("s", {"x": 1}, "k")).encode()))
    assert answer.lease == 5
    assert answer.evaluation is not None
    assert answer.evaluation.reason.startswith("the result cannot be sent: TypeError")


def test_an_exception_that_cannot_be_pickled_arrives_as_text() -> None:
    class Local(Exception):
        pass

    def evaluate(arch: Any) -> Evaluation:
        raise Local("a reason")

    answer = Answer.decode(answer_to(evaluate, Work(5, Architecture("s", {"x": 1}, "k")).encode()))
    assert "a reason" in str(answer.raised)
