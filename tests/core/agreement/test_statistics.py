"""Correlations and intervals, against their definitions on rows that are written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.agreement.statistics import (
    draw_resamples,
    interval,
    kendall_taus,
    regret,
    spearman_rhos,
    taus_within_bands,
    tied_rows,
    top_count,
)
from denas_core.values.ranking import average_ranks, kendall_tau

ONES = np.ones((1, 4))
NUMBERS = st.sampled_from([-math.inf, -1.5, 0.0, 2.0, 2.5, 7.0])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 3)), min_size=3, max_size=25))
def test_weights_mean_that_rows_are_repeated(rows: list[tuple[float, float, int]]) -> None:
    first, second, counts = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    written_out = np.repeat(np.arange(len(rows)), counts.astype(int))
    a, b = first[written_out], second[written_out]
    (tau,) = kendall_taus(first, second, counts[None])
    (rho,) = spearman_rhos(first, second, counts[None])
    expected = kendall_tau(a.tolist(), b.tolist()) if len(a) else None
    if expected is None:
        assert math.isnan(tau)
        assert math.isnan(rho)
    else:
        assert tau == pytest.approx(expected)
        assert rho == pytest.approx(np.corrcoef(average_ranks(a), average_ranks(b))[0, 1])


def test_blocks_of_rows_add_up() -> None:
    generator = np.random.default_rng(3)
    first = generator.integers(0, 300, 1200).astype(float)
    second = first + generator.normal(0, 100, 1200)
    (tau,) = kendall_taus(first, second, np.ones((1, 1200)))
    assert tau == pytest.approx(kendall_tau(first.tolist(), second.tolist()))


def test_a_resample_draws_networks_with_all_their_rows() -> None:
    weights = draw_resamples([0, 1, 1, 2], count=50)
    assert weights[0].tolist() == [1, 1, 1, 1]
    assert (weights[1:, 1] == weights[1:, 2]).all()
    assert (weights[1:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) > 5


def test_the_interval_covers_what_other_samples_give() -> None:
    generator = np.random.default_rng(5)
    taus, covered = [], 0
    for _ in range(60):
        x = generator.normal(size=60)
        y = x + generator.normal(size=60)
        resampled = kendall_taus(x, y, draw_resamples(range(60), count=200))
        low, high = interval(resampled[1:]) or [0.0, 0.0]
        taus.append(resampled[0])
        # Of two normal variables with a correlation of sqrt(1/2): 2/pi * arcsin(sqrt(1/2)).
        covered += low <= 0.5 <= high
    assert np.mean(taus) == pytest.approx(0.5, abs=0.03)
    assert covered >= 50


def test_bands_see_what_is_left_beside_size() -> None:
    size = np.arange(8.0)
    truth = np.array([1.0, 0.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0])
    weights = np.ones((1, 8))
    assert kendall_taus(size, truth, weights)[0] == pytest.approx(1 - 2 * 4 / 28)
    assert taus_within_bands(size, truth, size, weights).tolist() == [-1.0]
    assert taus_within_bands(truth, truth, size, weights).tolist() == [1.0]
    assert np.isnan(taus_within_bands(truth, truth, np.ones(8), weights)).all()


def test_a_band_without_order_has_no_part_in_the_mean() -> None:
    size = np.arange(8.0)
    truth = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert taus_within_bands(size, truth, size, np.ones((1, 8))).tolist() == [1.0]


def test_regret_is_lost_against_the_best_and_ties_do_not_win() -> None:
    truth = np.array([90.0, 70.0, 80.0, 60.0])
    assert regret(np.array([1.0, 3.0, 2.0, 0.0]), truth, 1) == 20.0
    assert regret(np.array([1.0, 3.0, 2.0, 0.0]), truth, 2) == 10.0
    assert regret(np.zeros(4), truth, 1) == 30.0
    assert (top_count(10), top_count(1000)) == (1, 50)


def test_ties_and_missing_intervals() -> None:
    assert tied_rows(np.array([1.0, 1.0, 2.0, 3.0, 3.0])) == 4
    assert interval(np.array([np.nan, np.nan])) is None
    assert np.isnan(kendall_taus(np.zeros(4), np.arange(4.0), ONES)).all()
