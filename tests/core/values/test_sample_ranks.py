"""Ranks against a sample of random networks."""

from __future__ import annotations

import math
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.values.ranking import average_ranks, log_rank_sum, ranks_against
from denas_core.values.table import Table

numbers = st.floats(allow_nan=False, allow_infinity=False)
samples = st.lists(numbers | st.just(-math.inf), min_size=1, max_size=12).filter(
    lambda values: any(map(math.isfinite, values))
)


def ranks(sample: list[float], *values: float) -> list[float]:
    return [float(rank) for rank in ranks_against(np.array(sample), np.array(values))]


def test_ranks_inside_a_sample_are_interpolated() -> None:
    assert ranks([10.0, 20.0, 40.0], 10.0, 15.0, 20.0, 25.0, 40.0) == [1, 1.5, 2, 2.25, 3]


def test_ranks_beyond_a_sample_go_on_at_the_density_of_its_nearer_half() -> None:
    # The better half has 2 networks between 25 and 40, one in 7.5; the worse half 2 between 10 and 25.
    sample = [10.0, 20.0, 30.0, 40.0]
    assert ranks(sample, 47.5, 70.0) == [5, 8]
    assert ranks(sample, 2.5, -20.0) == [1 / 2, 1 / 5]


def test_equal_values_share_a_rank_and_half_a_sample_of_them_counts_as_one_network() -> None:
    assert ranks([3.0, 3.0, 3.0, 1.0], 3.0, 9.0, 1.0) == [3, 5, 1]
    assert ranks([3.0, 3.0], 2.0, 3.0, 4.0) == [0.5, 1.5, 3]


def test_missing_values_are_below_all_others() -> None:
    sample = [-math.inf, 10.0, -math.inf, 20.0]
    assert ranks(sample, -math.inf, 10.0, 20.0) == [1.5, 3, 4]
    assert ranks(sample, 5.0) == [2.5]
    assert ranks([10.0, 20.0], -math.inf) == [0.5]


@given(samples)
def test_a_sample_has_its_own_ranks(sample: list[float]) -> None:
    found = ranks(sample, *sample)
    assert found == pytest.approx(average_ranks(np.array(sample) / 4).tolist())


@given(samples, st.lists(numbers, min_size=2, max_size=8))
def test_a_larger_value_never_ranks_lower_and_no_rank_depends_on_other_values(
    sample: list[float], values: list[float]
) -> None:
    together = ranks(sample, *sorted(values))
    assert together == sorted(together) and all(0 < rank < math.inf for rank in together)
    assert together == [ranks(sample, value)[0] for value in sorted(values)]


def test_log_ranks_against_a_sample_by_hand() -> None:
    table = Table(
        columns={"a": [15.0, 40.0], "b": [2.0, None]},
        weights={"a": 1.0, "b": 0.5},
        directions={"a": "maximize", "b": "minimize"},
        sample={"a": [10.0, 20.0, 40.0], "b": [1.0, 2.0, 3.0]},
    )
    assert log_rank_sum(table) == pytest.approx([log(1.5 / 3) + 0.5 * log(2 / 3), 0.5 * log((1 / 3) / 3)])


def test_a_sample_without_a_value_of_a_component_ranks_the_rows_among_each_other() -> None:
    table = Table(
        columns={"a": [1.0, 2.0]}, weights={"a": 1.0}, directions={"a": "maximize"}, sample={"a": [None]}
    )
    assert log_rank_sum(table) == pytest.approx([log(1 / 2), 0.0])
