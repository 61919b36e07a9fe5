"""The correction of a latency model: least squares without negative weights, and the error on unseen networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.latency.fit import KINDS, TERMS, compare, fit_weights, kind_of, left_out_error
from denas_core.latency.nonnegative import least_squares
from denas_core.latency.operators import Operator
from denas_core.latency.table import OperatorTable


def test_a_negative_coefficient_becomes_zero_and_the_others_are_fitted_again() -> None:
    # The unbounded solution of x + y = 1, x - y = 3 is (2, -1); with y = 0, x is the mean of 1 and 3.
    assert least_squares([[1, 1], [1, -1]], [1, 3]) == pytest.approx([2, 0])


@given(st.integers(0, 2**32 - 1))
def test_no_change_of_a_coefficient_makes_the_fit_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, values = rng.normal(size=(9, 4)) * rng.uniform(0.01, 100, 4), rng.normal(size=9)
    found = least_squares(rows, values)
    slope = rows.T @ (rows @ found - values)
    scale = np.linalg.norm(rows, axis=0) * np.linalg.norm(values)
    assert (found >= 0).all()
    # At the optimum, no slope leads down, and there is none along a coefficient that is free (Karush-Kuhn-Tucker).
    assert (slope / scale >= -1e-8).all()
    assert np.abs((slope / scale)[found > 0]).max(initial=0) <= 1e-8


def networks(count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.2, 5, len(TERMS) - 1) for _ in range(count)]


def test_weights_of_a_runtime_that_treats_all_kinds_alike_are_found() -> None:
    terms = networks(20)
    measured = [1.5 * each[: len(KINDS)].sum() + 0.25 * each[-1] + 0.125 for each in terms]
    found = dict(zip(TERMS, fit_weights(terms, measured), strict=True))
    assert found == pytest.approx({**dict.fromkeys(KINDS, 1.5), "calls": 0.25, "constant": 0.125}, abs=1e-6)


def test_a_kind_that_costs_nothing_gets_a_small_weight() -> None:
    terms = networks(40)
    measured = [2 * (each[: len(KINDS)].sum() - each[KINDS.index("normalisation")]) for each in terms]
    found = dict(zip(TERMS, fit_weights(terms, measured), strict=True))
    assert found["normalisation"] < 0.3 < 1.5 < found["convolution"]
    assert min(found.values()) >= 0


def test_the_error_is_that_of_networks_without_a_part_in_the_fit() -> None:
    terms = networks(12)
    exact = [each.sum() for each in terms]
    assert left_out_error(terms, exact).median_percent < 3
    rng = np.random.default_rng(1)
    noise = [float(value) for value in rng.permutation(np.linspace(1, 9, 12))]
    wrong = left_out_error(terms, noise)
    assert wrong.networks == 12
    assert wrong.tau is not None
    assert wrong.tau < 0.5
    assert wrong.spread > 0.5


def test_an_error_says_median_and_order() -> None:
    error = compare([1.0, 2.0, 3.0], [1.1, 2.0, 2.7])
    # |1/1.1 - 1| = 9.1 %, 0 %, |3/2.7 - 1| = 11.1 %
    assert error.median_percent == pytest.approx(9.0909, abs=1e-3)
    assert error.tau == 1
    assert str(error) == "median error 9.1 %, Kendall tau 1.00, on 3 unseen networks"
    assert "undefined" in str(compare([1.0, 1.0], [1.0, 2.0]))


def operator(flops: int, size: int, *, name: str = "aten.linear.default", text: str = "") -> Operator:
    return Operator(name, f"[{flops},{size},{text!r}]", flops, size)


def test_an_operator_that_was_never_timed_gets_an_estimate_from_the_same_operator() -> None:
    times = {
        operator(f, b): 0.01 + f * 1e-8 + b * 1e-7 for f in (10**5, 10**6, 10**7) for b in (10**4, 10**6)
    }
    table = OperatorTable({**times, operator(10**6, 10**5, name="aten.other"): 77.0})
    unseen = operator(3 * 10**6, 10**5)
    assert table.milliseconds(unseen) == pytest.approx(0.01 + 0.03 + 0.01, rel=1e-6)
    assert table.milliseconds(operator(10**6, 10**6)) == times[operator(10**6, 10**6)]


def test_an_estimate_does_not_depend_on_the_order_of_the_table() -> None:
    calls = {
        operator(f, f // 3): 0.001 * (index + 1) for index, f in enumerate((10, 1000, 5000, 10**6, 10**8))
    }
    one, other = OperatorTable(calls), OperatorTable(dict(reversed(calls.items())))
    for unseen in (operator(70, 9), operator(10**9, 10), operator(0, 50, name="aten.new"), operator(0, 0)):
        assert one.milliseconds(unseen) == other.milliseconds(unseen) > 0


@pytest.mark.parametrize(
    ("name", "flops", "size", "kind"),
    [
        ("aten.conv2d.default", 9, 9, "convolution"),
        ("aten.linear.default", 9, 9, "product"),
        ("aten.layer_norm.default", 0, 9, "normalisation"),
        ("aten.gelu.default", 0, 9, "other"),
        ("aten.view.default", 0, 0, "view"),
    ],
)
def test_kinds_of_operators(name: str, flops: int, size: int, kind: str) -> None:
    assert kind_of(operator(flops, size, name=name)) == kind
