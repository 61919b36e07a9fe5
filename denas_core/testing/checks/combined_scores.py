"""What a score made of several promises: it names its components and weights, and treats all rows of a table alike."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from denas_core.contracts.score import CombinedScore, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckSkipped, check_on, fail
from denas_core.testing.samples.difference import brief
from denas_core.values.table import Table

from .calls import Call, Loan

Spaces = tuple[SearchSpace, ...]

LATENCY = "latency"
ROWS = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """Raw values to combine: a row for each of some networks of a space."""

    score: CombinedScore
    space: SearchSpace
    table: Table

    def combined(self, columns: Mapping[str, Sequence[float | None]]) -> list[float]:
        """Return the combined values of other columns."""
        return list(self.score.combine(dataclasses.replace(self.table, columns=columns), self.space))

    def calls(self) -> list[Call]:
        """Return how a search calls the score."""
        score, space, table = self.score, self.space, self.table
        return [
            Call("default_weights()", lambda seed: dict(score.default_weights(space))),
            Call("component()", lambda seed: [score.component(name, space) for name in table.weights]),
            Call("combine()", lambda seed: self.combined(table.columns)),
        ]

    def loan(self) -> Loan:
        """Return the call with a table that others use too."""
        return Loan("combine()", lambda: self.combined(self.table.columns), lambda: self.table.columns)


def cases(score: CombinedScore, spaces: Spaces) -> Iterator[Case]:
    """Yield a table of random values for each space; skip the check of a score that combines nothing."""
    for space in spaces:
        defaults = score.default_weights(space).items()
        weights = {name: float(weight) for name, weight in defaults if weight and name != LATENCY}
        if not weights:
            raise CheckSkipped("it combines nothing by default")
        rng = random.Random(0)
        columns = {name: [1 + rng.random() for _ in range(ROWS)] for name in weights}
        found = {name: score.component(name, space) for name in weights}
        directions = {name: one.direction if one else "maximize" for name, one in found.items()}
        yield Case(score, space, Table(columns=columns, weights=weights, directions=directions))


def calls(score: CombinedScore, spaces: Spaces) -> Iterator[list[Call]]:
    """Yield how a search calls a combined score."""
    yield from (case.calls() for case in cases(score, spaces))


def loans(score: CombinedScore, spaces: Spaces) -> Iterator[Loan]:
    """Yield the calls of a combined score with objects that others use too."""
    yield from (case.loan() for case in cases(score, spaces))


@check_on(lambda score, spaces: spaces)
def components_have_weights(score: CombinedScore, space: SearchSpace) -> None:
    """default_weights() gives numbers >= 0, one of them positive, and component() a ProxyScore or None for each."""
    weights: Any = score.default_weights(space)
    if not isinstance(weights, Mapping) or not any(weights.values()):
        fail(f"default_weights() returns {brief(weights)}; return a mapping with a positive weight")
    for name, weight in weights.items():
        if not isinstance(weight, (int, float)) or not math.isfinite(weight) or weight < 0:
            fail(f"default_weights() gives {name!r} the weight {weight!r}; use a finite number >= 0")
        component: Any = score.component(name, space)
        if component is not None and not isinstance(component, ProxyScore):
            fail(f"component({name!r}) returns {brief(component)}; return a ProxyScore, or None")


@check_on(cases)
def rows_get_a_number_each(score: CombinedScore, case: Case) -> None:
    """combine() gives one number a row; rows that miss a value included, and none of them NaN."""
    columns = case.table.columns
    for missing in ("no value", *columns):
        rows = {name: [None if name == missing else row, *rest] for name, (row, *rest) in columns.items()}
        values = case.combined(rows)
        if len(values) != ROWS or not all(isinstance(v, (int, float)) and not math.isnan(v) for v in values):
            fail(f"combine() of {ROWS} rows, one without {missing}, gives {brief(values)}; give each one")


@check_on(cases)
def better_rows_get_more(score: CombinedScore, case: Case) -> None:
    """A row that is better in every component gets the largest value."""
    given: Mapping[str, Any] = case.table.columns
    columns = {
        name: [*column, max(column) + 1 if case.table.directions[name] == "maximize" else min(column) / 2]
        for name, column in given.items()
    }
    *others, best = case.combined(columns)
    if best < max(others):
        fail(f"combine() gives {best:.4g} to the best row, {max(others):.4g} to another; larger is better")


@check_on(cases)
def values_ignore_the_order_of_rows(score: CombinedScore, case: Case) -> None:
    """combine() gives a row the same value wherever it stands."""
    forwards = case.combined(case.table.columns)
    backwards = case.combined({name: column[::-1] for name, column in case.table.columns.items()})[::-1]
    if not all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(forwards, backwards, strict=True)):
        fail(f"combine() gives {brief(forwards)}, with rows in reverse {brief(backwards)}; treat rows alike")


@check_on(cases)
def a_sample_makes_rows_independent(score: CombinedScore, case: Case) -> None:
    """Where it uses a sample, combine() gives a row the same value whatever other rows there are."""
    if not score.uses_sample:
        raise CheckSkipped("it uses no sample")
    given: Mapping[str, Any] = case.table.columns
    sample = {name: [value / 2 + 0.6 for value in column] for name, column in given.items()}
    table = dataclasses.replace(case.table, sample=sample)
    few = {name: column[: ROWS // 2] for name, column in given.items()}
    alone = list(score.combine(dataclasses.replace(table, columns=few), case.space))
    among = list(score.combine(table, case.space))[: ROWS // 2]
    if alone != among:
        fail(f"combine() gives {brief(alone)}, with other rows {brief(among)}; rank against the sample alone")
