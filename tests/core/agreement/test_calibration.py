"""Fitted weights, where the truth is known."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.agreement.calibration import calibrate, fit_weights, solve_nonnegative
from denas_core.values.ranking import average_ranks, kendall_tau

NAMES = ("right", "noise", "other noise")


def log_ranks(values: np.ndarray) -> list[float]:
    return [float(value) for value in np.log(average_ranks(values) / len(values))]


def components(networks: int, *, seed: int = 0) -> tuple[dict[str, list[float]], np.ndarray]:
    """Return three components that have nothing to do with each other, and the values of the first."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(NAMES), networks))
    return {name: log_ranks(column) for name, column in zip(NAMES, values, strict=True)}, values[0]


def test_the_one_component_that_is_right_gets_the_weight() -> None:
    columns, truth = components(16)
    found = calibrate(columns, truth.tolist(), dict.fromkeys(NAMES, 1.0))
    assert found.weights["right"] > 3 * max(found.weights["noise"], found.weights["other noise"])
    assert sum(found.weights.values()) == pytest.approx(3.0)
    assert min(found.weights.values()) >= 0
    before = [sum(row) for row in zip(*columns.values(), strict=True)]
    assert found.tau_before == pytest.approx(kendall_tau(before, truth.tolist()))
    assert found.tau is not None and found.tau_before is not None
    assert found.tau > found.tau_before + 0.2
    assert found.is_better
    assert found.tau_interval and found.tau_interval[0] <= found.tau <= found.tau_interval[1]
    assert found.difference_interval and found.difference_interval[1] > 0.2
    assert found.better_share > 0.9


def test_weights_that_are_right_already_are_not_replaced() -> None:
    columns, _ = components(16)
    before = {"right": 1.0, "noise": 0.5, "other noise": 0.25}
    truth = [sum(before[name] * columns[name][place] for name in NAMES) for place in range(16)]
    found = calibrate(columns, truth, before)
    assert found.tau_before == 1.0
    assert found.better_share == 0.0
    assert not found.is_better
    # A better value in less than half of the draws is not enough.
    lucky = dataclasses.replace(found, tau=0.6, tau_before=0.5)
    assert not dataclasses.replace(lucky, better_share=0.5).is_better
    assert dataclasses.replace(lucky, better_share=0.6).is_better


def test_noise_is_seldom_taken_for_a_better_score() -> None:
    """The target has nothing to do with any component, so about half of the fits may look better by chance."""
    rng = np.random.default_rng(1)
    gains = []
    for seed in range(12):
        columns, _ = components(10, seed=seed)
        found = calibrate(columns, rng.normal(size=10).tolist(), dict.fromkeys(NAMES, 1.0))
        gains.append((found.tau or 0.0) - (found.tau_before or 0.0))
    assert np.mean(gains) < 0.1


def test_a_component_that_ranks_the_wrong_way_gets_no_weight() -> None:
    columns, truth = components(16)
    found = calibrate(
        {**columns, "wrong": log_ranks(-truth)}, truth.tolist(), dict.fromkeys((*NAMES, "wrong"), 1.0)
    )
    assert found.weights["wrong"] == pytest.approx(0.0, abs=1e-9)
    assert found.is_better


def test_equal_targets_give_no_better_weights() -> None:
    columns, _ = components(10)
    found = calibrate(columns, [0.5] * 10, dict.fromkeys(NAMES, 1.0))
    assert (found.tau, found.tau_before, found.is_better) == (None, None, False)


def test_the_strongest_penalty_keeps_the_earlier_weights_and_weaker_ones_move_away() -> None:
    columns, truth = components(12)
    features, default = np.array([columns[name] for name in NAMES]).T, np.array([1.0, 2.0, 0.5])
    ranks = average_ranks(truth)
    kept = fit_weights(features, ranks, default, np.inf)
    assert kept.tolist() == default.tolist()
    far = [
        float(np.abs(fit_weights(features, ranks, default, penalty) - default).max())
        for penalty in (1e6, 10.0, 1.0, 0.1)
    ]
    assert far == sorted(far)
    assert far[0] < 1e-3 < 0.5 < far[-1]


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_solution_is_the_best_of_all_subsets(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    factor, vector = rng.normal(size=(size + 2, size)), rng.normal(size=size)
    matrix = factor.T @ factor + 0.1 * np.eye(size)
    found = solve_nonnegative(matrix, vector)
    best, least = np.zeros(size), 0.0
    for count in range(1, size + 1):
        for used in map(list, itertools.combinations(range(size), count)):
            part = np.zeros(size)
            part[used] = np.linalg.solve(matrix[np.ix_(used, used)], vector[used])
            value = float(part @ matrix @ part / 2 - vector @ part)
            if (part >= 0).all() and value < least:
                best, least = part, value
    assert found == pytest.approx(best, abs=1e-9)
