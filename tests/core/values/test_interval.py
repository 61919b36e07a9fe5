"""The 95 % interval of a share, against numbers that others have published."""

from __future__ import annotations

import math

import pytest

from denas_core.values.interval import QUANTILE, share_interval


def test_the_ends_are_the_shares_that_lie_just_at_the_quantile() -> None:
    for share, samples in ((0.9, 50), (0.5, 7), (1.0, 24), (0.0, 3)):
        for end in share_interval(share, samples):
            distance = abs(share - end)
            assert distance == pytest.approx(QUANTILE * math.sqrt(end * (1 - end) / samples), abs=1e-12)


def test_it_is_the_interval_of_newcombe_1998_table_1() -> None:
    # Newcombe (1998, Statistics in Medicine 17, 857-872), method 3, for 81 of 263 and for 0 of 20.
    assert share_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert share_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_share_above_one_counts_as_one() -> None:
    assert share_interval(1.7, 10) == share_interval(1.0, 10)


def test_the_interval_of_all_or_of_none_reaches_them_exactly() -> None:
    for samples in range(1, 200):
        assert share_interval(1.0, samples)[1] == 1.0
        assert share_interval(0.0, samples)[0] == 0.0
