from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.report.page.axes import Axis
from denas_core.values.number import LARGEST

numbers = st.floats(min_value=-1e12, max_value=1e12, allow_subnormal=False)
positive = st.floats(min_value=1e-9, max_value=1e15)


@given(st.lists(numbers, min_size=1, max_size=6))
def test_ticks_are_few_and_within_the_axis(values: list[float]) -> None:
    axis = Axis.of(values, 0, 100)
    ticks = axis.ticks()
    assert len(ticks) <= 7
    room = (axis.high - axis.low) * 1e-6
    assert all(axis.low - room <= tick <= axis.high + room for tick in ticks)
    assert all(0 <= axis(value) <= 100 for value in values)


@given(st.lists(positive, min_size=2, max_size=6))
def test_a_logarithmic_axis_holds_its_values(values: list[float]) -> None:
    axis = Axis.of(values, 0, 100, log=min(values) != max(values))
    assert all(0 <= axis(value) <= 100 for value in values)
    assert len(axis.ticks()) <= 12


@pytest.mark.parametrize("log", [False, True])
@given(st.lists(st.floats(min_value=0, max_value=LARGEST, exclude_min=True), min_size=1, max_size=4))
def test_no_score_is_beyond_an_axis(log: bool, values: list[float]) -> None:
    axis = Axis.of(values if log else [*values, -LARGEST], 0, 100, log=log)
    assert all(0 <= axis(value) <= 100 for value in values)
    assert len(axis.ticks()) <= 12


@pytest.mark.parametrize("values", [(0.0, 5e-324), (-5e-324, 5e-324), (5e-324, 1e-323)])
def test_the_smallest_numbers_have_an_axis(values: tuple[float, float]) -> None:
    axis = Axis.of(values, 0, 100)
    assert axis(values[0]) < axis(values[1])
    assert axis.ticks()


def test_neighbouring_numbers_with_one_logarithm_have_an_axis() -> None:
    low, high = 1e-09, 1.0000000000000003e-09
    axis = Axis.of([low, high], 0, 100, log=True)
    assert 0 <= axis(low) < axis(high) <= 100
    assert axis.ticks() is not None


@pytest.mark.parametrize("values", [(1e-132, 1e176), (1e-269, 1e269), (1e-300, 1e300)])
def test_numbers_whose_ratio_no_float_holds_have_an_axis(values: tuple[float, float]) -> None:
    axis = Axis.of(values, 0, 100, log=True)
    assert 0 <= axis(values[0]) < axis(values[1]) <= 100
    assert axis.ticks()


def test_ticks_are_round() -> None:
    assert Axis(0, 10, 0, 1).ticks() == [0, 2, 4, 6, 8, 10]
    assert Axis(-11.5, 0.4, 0, 1).ticks() == [-10, -7.5, -5, -2.5, 0]
    assert Axis(40_000, 600_000, 0, 1, log=True).ticks() == [50_000, 100_000, 200_000, 500_000]
    assert Axis(1, 1e6, 0, 1, log=True).ticks(most=6) == [1, 10, 100, 1e3, 1e4, 1e5, 1e6]
