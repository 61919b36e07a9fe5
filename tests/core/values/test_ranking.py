from __future__ import annotations

import itertools
import math
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.values.ranking import average_ranks, kendall_tau, log_rank_sum, pareto_front
from denas_core.values.table import Direction, Table


def table(**columns: tuple[Direction, float, list[float | None]]) -> Table:
    return Table(
        columns={name: values for name, (_, _, values) in columns.items()},
        weights={name: weight for name, (_, weight, _) in columns.items()},
        directions={name: direction for name, (direction, _, _) in columns.items()},
    )


def test_ranks_count_from_the_smallest_and_ties_share_their_mean() -> None:
    assert average_ranks(np.array([30.0, 10.0, 20.0])).tolist() == [3, 1, 2]
    assert average_ranks(np.array([5.0, 1.0, 5.0, 5.0])).tolist() == [3, 1, 3, 3]
    assert average_ranks(np.array([2.0, 2.0])).tolist() == [1.5, 1.5]


def test_the_best_row_of_one_column_has_value_0_and_the_worst_log_1_over_m() -> None:
    values = log_rank_sum(table(a=("maximize", 1.0, [10.0, 30.0, 20.0, 0.0])))
    assert values == pytest.approx([log(2 / 4), 0.0, log(3 / 4), log(1 / 4)])


def test_a_minimised_column_ranks_the_other_way_round() -> None:
    values = log_rank_sum(table(a=("minimize", 1.0, [10.0, 30.0, 20.0])))
    assert values == pytest.approx([0.0, log(1 / 3), log(2 / 3)])


def test_ties_missing_values_and_weights_by_hand() -> None:
    values = log_rank_sum(
        table(
            a=("maximize", 1.0, [7.0, 7.0, 1.0, 9.0]),
            b=("minimize", 0.5, [3.0, None, 2.0, None]),
        )
    )
    # Ranks in a: 2.5, 2.5, 1, 4; in b, smallest first: 3, 1.5, 4, 1.5.
    assert values == pytest.approx(
        [
            log(2.5 / 4) + 0.5 * log(3 / 4),
            log(2.5 / 4) + 0.5 * log(1.5 / 4),
            log(1 / 4) + 0.5 * log(4 / 4),
            log(4 / 4) + 0.5 * log(1.5 / 4),
        ]
    )


def test_a_missing_value_ranks_below_the_worst_one_in_either_direction() -> None:
    for direction in ("maximize", "minimize"):
        values = log_rank_sum(table(a=(direction, 1.0, [1e308, None, -1e308])))
        assert min(values) == values[1]


def test_tables_without_rows_columns_or_values_combine() -> None:
    assert log_rank_sum(table()) == []
    assert log_rank_sum(table(a=("maximize", 1.0, []))) == []
    assert log_rank_sum(table(a=("maximize", 1.0, [None, None]))) == pytest.approx([log(1.5 / 2)] * 2)


def dominates(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(first, second, strict=True)) and first != second


# Few values, so that ties and equal points are common.
coordinates = st.sampled_from([-inf, -1.5, -0.0, 0.0, 1.0, 2.0, 3.0, inf]) | st.floats(allow_nan=False)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[coordinates] * n), max_size=25)))
def test_the_front_is_what_no_other_point_dominates(points: list[tuple[float, ...]]) -> None:
    assert pareto_front(points) == [
        index for index, point in enumerate(points) if not any(dominates(other, point) for other in points)
    ]


def test_equal_points_stay_on_the_front_together() -> None:
    assert pareto_front([(1, 2), (2, 1), (1, 2), (2, 2)]) == [0, 1, 2]


def tau_by_pairs(first: list[float], second: list[float]) -> float | None:
    """Kendall's tau-b, counted pair by pair from its definition."""
    agree = differ = only_first = only_second = 0
    for (a, b), (c, d) in itertools.combinations(zip(first, second, strict=True), 2):
        if a == c and b == d:
            continue
        if a == c:
            only_second += 1
        elif b == d:
            only_first += 1
        elif (a < c) == (b < d):
            agree += 1
        else:
            differ += 1
    norm = math.sqrt((agree + differ + only_first) * (agree + differ + only_second))
    return (agree - differ) / norm if norm else None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12))
def test_kendall_tau_is_what_counting_pairs_gives(pairs: list[tuple[int, int]]) -> None:
    first, second = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    expected = tau_by_pairs(first, second)
    assert kendall_tau(first, second) == (expected if expected is None else pytest.approx(expected))


def test_kendall_tau_of_orders_worked_out_by_hand() -> None:
    assert kendall_tau([1, 2, 3], [10, 20, 30]) == 1
    assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1
    assert kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(4 / 6)
    assert kendall_tau([1, 1, 1], [1, 2, 3]) is None


def test_kendall_tau_with_ties_by_hand() -> None:
    # Pairs: 4 agree, 0 differ, 1 tied in the first alone, 1 in the second alone: 4 / sqrt(5 * 5).
    assert kendall_tau([1, 1, 2, 3], [1, 2, 3, 3]) == pytest.approx(4 / 5)
    assert kendall_tau([-inf, 0, inf, inf], [1, 2, 3, 3]) == pytest.approx(1)
    assert kendall_tau([], []) is None and kendall_tau([1], [1]) is None
    with pytest.raises(ValueError, match="no rank correlation"):
        kendall_tau([1, 2], [1])
