from __future__ import annotations

import pytest

from denas_core.report.sections.statistics import bin_edges, histogram, quartiles, share_explained


def test_a_group_that_decides_the_order_explains_all_but_the_correction() -> None:
    # Ranks 1, 2 | 3, 4: H = 12 / (4 * 5) * (9/2 + 49/2) - 3 * 5 = 2.4, so (2.4 - 2 + 1) / (4 - 2) = 0.7.
    share, p = share_explained([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"]) or (None, None)
    assert share == pytest.approx(0.7)
    # Of the six ways to choose two of four, two are as extreme.
    assert p == pytest.approx(1 / 3, abs=0.06)


def test_a_group_that_says_nothing_explains_nothing() -> None:
    values = [float(i) for i in range(40)]
    share, p = share_explained(values, [i % 2 for i in range(40)]) or (None, None)
    assert share == 0
    assert p is not None and p > 0.5


def test_nothing_is_said_of_one_group_of_equal_values_or_of_as_many_groups_as_values() -> None:
    assert share_explained([1.0, 2.0, 3.0], ["a"] * 3) is None
    assert share_explained([2.0, 2.0, 2.0], ["a", "b", "b"]) is None
    assert share_explained([1.0, 2.0, 3.0], ["a", "b", "c"]) is None


def test_a_histogram_holds_every_value_at_any_scale() -> None:
    values = [1.0, 3.0, 10.0, 1000.0, 1000.0]
    for log in (False, True):
        edges = bin_edges(values, bins=7, log=log)
        assert (edges[0], edges[-1]) == (1.0, 1000.0)
        assert sum(histogram(values, edges)) == 5
    assert sum(histogram([4.0, 4.0], bin_edges([4.0, 4.0], bins=3, log=False))) == 2


def test_quartiles_of_five_values() -> None:
    assert quartiles([5, 1, 4, 2, 3]) == (2, 3, 4)
