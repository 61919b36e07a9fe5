from __future__ import annotations

import math
import random

import pytest

from denas_core.values.fronts import crowding_distances, objective_point, order_by_domination
from denas_core.values.hypervolume import hypervolume, hypervolumes, knee, scaled
from denas_core.values.objectives import Objective
from denas_core.values.trial import Evaluation, Trial
from tests.core.conditional_space import Conditional


def test_a_point_has_the_sign_that_makes_smaller_values_better() -> None:
    arch = Conditional(deepest=2).smallest()
    assert arch is not None
    trial = Trial(
        index=0, generation=0, arch=arch, evaluation=Evaluation(state="scored", metrics={"params": 7.0})
    )
    axes = [Objective("score"), Objective("params"), Objective("params", "maximize"), Objective("flops")]
    assert objective_point(trial, {arch.key: 3.0}, axes) == [-3.0, 7.0, -7.0, math.inf]


def test_layers_and_crowding_are_those_of_a_hand_worked_example() -> None:
    # (0, 4), (1, 2), (3, 1), (4, 0) are the front; (2, 3) and (4, 2) the second layer; (5, 5) the third.
    points = [(5.0, 5.0), (0.0, 4.0), (2.0, 3.0), (1.0, 2.0), (3.0, 1.0), (4.0, 2.0), (4.0, 0.0)]
    ordered = order_by_domination(points)
    assert [(index, layer) for index, layer, _ in ordered] == [
        (1, 0),
        (6, 0),
        (3, 0),
        (4, 0),
        (2, 1),
        (5, 1),
        (0, 2),
    ]
    # Of (1, 2): (3 - 0) / 4 + (4 - 1) / 4. Of (3, 1): (4 - 1) / 4 + (2 - 0) / 4.
    assert [crowding for _, _, crowding in ordered[:4]] == [math.inf, math.inf, 1.5, 1.25]
    assert order_by_domination(points, count=2) == ordered[:2]


def test_one_objective_is_the_order_of_its_values() -> None:
    assert [(index, layer) for index, layer, _ in order_by_domination([(3.0,), (1.0,), (3.0,), (2.0,)])] == [
        (1, 0),
        (3, 1),
        (0, 2),
        (2, 2),
    ]


def test_copies_of_a_point_do_not_count_as_its_neighbours() -> None:
    points = [(0.0, 2.0), (1.0, 1.0), (1.0, 1.0), (2.0, 0.0)]
    assert crowding_distances(points) == [math.inf, 2.0, 0.0, math.inf]


def test_hypervolumes_are_those_of_boxes_added_by_hand() -> None:
    assert hypervolume([(0.25,)]) == 0.75
    # Two boxes of 0.5 x 1 and 1 x 0.5 that share 0.5 x 0.5.
    assert hypervolume([(0.5, 0.0), (0.0, 0.5), (0.75, 0.75)]) == 0.75
    assert hypervolume([(0.5, 0.0, 0.5), (0.0, 0.5, 0.5)]) == 0.375
    assert hypervolume([(0.5, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 0.0)]) == pytest.approx(
        0.25 + 0.125 - 0.0625 + 0.0
    )
    assert hypervolume([(1.0, 0.0)]) == 0.0
    assert hypervolume([]) == 0.0
    assert hypervolume([(0.0,) * 5]) is None


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_a_hypervolume_agrees_with_random_positions(objectives: int) -> None:
    rng = random.Random(objectives)
    points = [tuple(rng.random() for _ in range(objectives)) for _ in range(12)]
    draws = 20_000
    inside = 0
    for _ in range(draws):
        place = [rng.random() for _ in range(objectives)]
        inside += any(all(a <= b for a, b in zip(point, place, strict=True)) for point in points)
    # Three standard errors of a share are at most 3 * 0.5 / sqrt(20,000) = 0.011.
    assert hypervolume(points) == pytest.approx(inside / draws, abs=0.011)


def test_the_course_of_a_hypervolume_never_falls_and_ends_with_that_of_all_points() -> None:
    rng = random.Random(0)
    points = [(rng.random() * 50, -rng.random(), rng.random() * 1e9) for _ in range(60)]
    course = hypervolumes(points)
    assert course is not None
    assert course == sorted(course)
    assert course[-1] == pytest.approx(hypervolume(scaled(points)))
    assert course[0] == pytest.approx(hypervolume(scaled(points)[:1]))
    assert len(set(course)) > 5


def test_infinite_values_do_not_decide_the_scale() -> None:
    assert scaled([(1.0, math.inf), (3.0, 0.0), (2.0, 8.0)]).tolist() == [[0, math.inf], [1, 0], [0.5, 1]]
    assert hypervolumes([(math.inf, 0.0), (0.0, 0.0), (4.0, 9.0)]) == [0.0, 1.0, 1.0]


def test_the_knee_is_farthest_from_the_line_between_the_ends() -> None:
    # From (0, 100) to (10, 0): the distances of the others from the line are as 1 - x/10 - y/100.
    front = [(0.0, 100.0), (1.0, 60.0), (3.0, 20.0), (6.0, 12.0), (10.0, 0.0)]
    assert knee(front) == 2
    assert knee([(math.inf, 0.0)]) is None
    assert knee([]) is None
    assert knee([(2.0,), (1.0,)]) == 1
