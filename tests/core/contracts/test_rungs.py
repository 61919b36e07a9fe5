"""The order of components by the passes that they declare."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from denas_core import PassSpec, ProxyScore
from denas_core.contracts.rungs import declared_cost, rungs_by_passes

FORWARD = PassSpec(size=32)
BACKWARD = PassSpec(size=32, readout="cotangent", gradients="inputs")
ONES = PassSpec(size=1, inputs="ones", readout="sum", gradients="weights", dtype="float64")


@dataclasses.dataclass(kw_only=True)
class Asking(ProxyScore):
    """A score that asks for passes."""

    specs: tuple[PassSpec, ...] = ()

    def passes(self) -> tuple[PassSpec, ...]:
        return self.specs

    def measure(self, candidate: Any) -> float:
        return 0.0


def order(**specs: tuple[PassSpec, ...]) -> list[list[str]]:
    return rungs_by_passes({name: Asking(specs=each) for name, each in specs.items()})


def test_components_that_share_a_pass_are_together_and_the_cheap_ones_come_first() -> None:
    # The forward pass is part of the backward one, so that it costs nothing more.
    found = order(dear=(BACKWARD,), with_it=(FORWARD,), cheap=(ONES,), counted=())
    assert found == [["counted", "cheap"], ["dear", "with_it"]]


def test_a_component_with_two_passes_joins_the_groups_of_both() -> None:
    assert order(a=(FORWARD,), b=(ONES,), both=(ONES, FORWARD), c=(PassSpec(size=2),)) == [
        ["c"],
        ["b", "a", "both"],
    ]


def test_components_without_passes_are_one_group() -> None:
    assert order(a=(), b=()) == [["a", "b"]]


def test_equal_costs_have_an_order_that_does_not_depend_on_the_order_of_sets() -> None:
    first, second = PassSpec(size=4), PassSpec(size=4, inputs="ones")
    assert order(z=(first,), a=(second,)) == order(a=(second,), z=(first,)) == [["a"], ["z"]]


@pytest.mark.parametrize(
    ("spec", "cost"),
    [
        (FORWARD, 32),
        (BACKWARD, 96),
        (ONES, 6),
        (PassSpec(size=2, readout="sum", gradients="weights", observe=("curvature",)), 14),
        (PassSpec(size=2, observe=("block gradients",)), 6),
    ],
)
def test_a_pass_costs_its_samples_times_its_runs(spec: PassSpec, cost: float) -> None:
    assert declared_cost(spec) == cost
