from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.ranking import average_ranks, log_rank_sum, pareto_front
from denas_core.score import Direction, Table


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
