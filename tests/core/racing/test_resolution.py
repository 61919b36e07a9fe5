"""How many points a comparison can resolve."""

from __future__ import annotations

import random
import statistics

import pytest

from denas_core.contracts.task import Metric
from denas_core.racing.resolution import coarse_notice, points, resolution

ACCURACY = Metric(name="accuracy", is_share=True)


def test_five_hundred_samples_resolve_six_points() -> None:
    assert resolution(ACCURACY, 500) == pytest.approx(0.06198, abs=1e-5)
    assert resolution(ACCURACY, 500, share=0.9) == pytest.approx(1.96 * (2 * 0.09 / 500) ** 0.5)


def test_two_equal_networks_differ_by_more_in_one_of_twenty_cases() -> None:
    rng = random.Random(0)
    samples, share = 200, 0.8
    smallest = resolution(ACCURACY, samples, share=share)
    assert smallest is not None

    def measured() -> float:
        return statistics.fmean(rng.random() < share for _ in range(samples))

    beyond = statistics.fmean(abs(measured() - measured()) > smallest for _ in range(2000))
    assert 0.03 < beyond < 0.07


def test_nothing_is_known_of_a_metric_that_is_no_share() -> None:
    assert resolution(Metric(name="matthews"), 500) is None
    assert coarse_notice(Metric(name="matthews"), 10) == ""


def test_few_samples_get_a_notice_and_many_do_not() -> None:
    assert coarse_notice(ACCURACY, 500) == (
        "500 samples to measure on tell apart networks that differ by more than 6.2 points; smaller differences may be "
        "chance (3.0 points need about 2135 samples)"
    )
    assert coarse_notice(ACCURACY, 2135) == ""
    assert points(0.01) == "1.0 point" and points(-0.125) == "-12.5 points"
