from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from denas_core.errors import ScoreFailed
from denas_core.values.number import coerce_score


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.5, 1.5),
        (3, 3.0),
        (-(10**300), -1e300),
        (np.float32(0.5), 0.5),
        (np.float64(-2), -2.0),
        (np.int64(7), 7.0),
        (Fraction(1, 4), 0.25),
        (1e308, 1e308),
        (5e-324, 5e-324),
    ],
)
def test_a_finite_real_number_becomes_a_float(value: Any, number: float) -> None:
    score = coerce_score(value)
    assert (score, type(score)) == (number, float)


def test_a_negative_zero_becomes_zero() -> None:
    assert math.copysign(1, coerce_score(-0.0)) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "not a number: bool True"),
        (None, "not a number: NoneType None"),
        ("1.5", "not a number: str '1.5'"),
        ("x" * 1000, "not a number: str '" + "x" * 59),
        (1 + 0j, "not a number: complex (1+0j)"),
        (Decimal("1.5"), "not a number: Decimal"),
        (np.bool_(True), "not a number: bool"),
        (np.array(1.5), "not a number: ndarray"),
        (torch.tensor(1.5), "not a number: Tensor"),
        ([1.5], "not a number: list"),
        (float, "not a number: type"),
        (math.nan, "not finite: nan"),
        (np.float32("nan"), "not finite: nan"),
        (-math.inf, "not finite: -inf"),
        (1.5e308, "not finite: 1.5e+308"),
        (10**400, "not a float: OverflowError: int too large to convert to float"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_a_failed_score_with_its_reason(value: Any, reason: str) -> None:
    with pytest.raises(ScoreFailed) as caught:
        coerce_score(value)
    assert str(caught.value) == reason


def test_a_number_that_refuses_to_be_a_float_is_a_failed_score() -> None:
    class Hostile(Fraction):
        def __float__(self) -> float:
            raise RuntimeError("no")

    with pytest.raises(ScoreFailed, match="not a float: RuntimeError: no"):
        coerce_score(Hostile(1, 2))


objects = st.one_of(
    st.none()
    | st.booleans()
    | st.binary()
    | st.dates()
    | st.uuids()
    | st.sets(st.integers())
    | st.functions(),
    st.floats(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.decimals(),
    st.fractions(),
    st.complex_numbers(),
    st.text(),
    st.floats(width=16).map(np.float16),
    st.floats().map(np.float64),
    st.booleans().map(np.bool_),
    st.floats().map(torch.tensor),
    st.lists(st.floats()),
)


@given(objects)
def test_any_object_is_a_finite_float_or_a_failed_score(value: Any) -> None:
    try:
        score = coerce_score(value)
    except ScoreFailed as error:
        assert str(error)
    else:
        assert type(score) is float
        assert math.isfinite(score)
        assert score == float(value)
