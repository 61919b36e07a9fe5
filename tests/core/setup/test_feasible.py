"""Constraints that no architecture keeps together are refused before a search, with what can be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.problem import Problem
from denas_core.errors import Infeasible
from denas_core.setup import feasible
from denas_core.setup.bounds import reachable
from denas_core.setup.feasible import check_feasible, largest_value
from denas_core.values.architecture import Architecture
from denas_core.values.objectives import Constraint
from tests.core.conditional_space import Conditional, Endless
from tests.core.toy_searches import denas_here, toy_search


class Pools(Conditional):
    """A space in which the largest network by parameters does not have the largest memory: a pool has more."""

    def cost(self, arch: Architecture) -> dict[str, float]:
        cost = super().cost(arch)
        widths = [int(arch[f"width{i}"]) for i in range(1, int(arch["depth"]) + 1)]
        return {**cost, "memory_mb": sum(widths) * (3.0 if arch["mixer"] == "pool" else 1.0)}


def test_bounds_that_are_reachable_each_but_not_together_end_with_what_can_be_had(tmp_path: Path) -> None:
    # Eight parameters a height, and energy 1 a step and 1/4 a height: heights of 8 in all, on 6 steps, have 8.
    done = denas_here(
        *("search", "toy/lift", "--score", "toy/both", "-o", str(tmp_path / "a")),
        *("-c", "params<=64", "-c", "energy_mj>=8.3"),
    )
    assert done.returncode == 7
    assert done.stderr.strip() == (
        "error: no architecture of 'toy/lift' was found that has energy_mj>=8.3 together with params<=64; the nearest "
        "has 8 energy_mj, so energy_mj>=8 can be had together with params<=64"
    )
    assert not (tmp_path / "a").exists()


def test_what_can_be_had_is_searched(tmp_path: Path) -> None:
    bounds = ["params<=64", "energy_mj>=8"]
    strategy = {"name": "builtin/random", "batch": 5}
    result = toy_search(tmp_path / "a", space="toy/lift", constraints=bounds, strategy=strategy, budget=5)
    assert result.is_finished


def test_a_single_bound_that_is_not_between_the_ends_is_searched_too() -> None:
    with pytest.raises(Infeasible) as caught:
        check_feasible(Problem(Pools(), [Constraint("memory_mb", False, 300)]))
    assert str(caught.value).endswith(
        "was found that has memory_mb>=300; the nearest has 288 memory_mb, so memory_mb>=288 can be had"
    )


def test_a_space_without_ends_is_searched_too() -> None:
    with pytest.raises(Infeasible, match="the nearest has 9 params, so params<=9 can be had"):
        check_feasible(Problem(Endless(), [Constraint("params", True, 8)]))


def test_the_value_that_can_be_had_is_rounded_towards_the_loose_side() -> None:
    class Fractions(Conditional):
        def cost(self, arch: Architecture) -> dict[str, float]:
            return {name: value * 1.2345678 for name, value in super().cost(arch).items()}

    space = Fractions()
    with pytest.raises(Infeasible, match=r"so params<=11\.12 can be had"):
        check_feasible(Problem(space, [Constraint("params", True, 11)]))
    check_feasible(Problem(space, [Constraint("params", True, 11.12)]))


def test_feasible_and_measured_bounds_pass() -> None:
    check_feasible(Problem(Conditional(), [Constraint("latency_ms", True, 1e-9)]))
    check_feasible(Problem(Conditional(), [Constraint("params", True, 50), Constraint("flops", False, 100)]))


def test_a_space_that_takes_too_long_is_not_refused_near_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasible, "SECONDS", 0.0)
    check_feasible(Problem(Conditional(), [Constraint("params", True, 8.9)]))


def test_a_relative_bound_is_a_share_of_the_largest_value_of_its_metric() -> None:
    space = Pools()
    full = space.full()
    assert space.cost(full)["memory_mb"] == 96
    assert largest_value(space, full, "memory_mb") == 288
    half: list[Any] = [Constraint.parse("memory_mb<=0.5x"), Constraint.parse("params<=0.5x")]
    absolute, ranges = reachable(half, space)
    assert [str(bound) for bound in absolute] == ["memory_mb<=144", "params<=55"]
    assert list(ranges) == ["params"]
