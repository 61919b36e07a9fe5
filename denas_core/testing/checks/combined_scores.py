"""What a score made of several must do: name its components and weights, and combine rows without favour."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.score import CombinedScore, ProxyScore
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.table import Direction, Table

LATENCY = "latency"
ROWS = 8


def default_weights_are_numbers(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """default_weights() gives finite weights that are not negative, one of them positive."""
    for space in spaces:
        weights: Any = score.default_weights(space)
        require(
            isinstance(weights, Mapping), f"default_weights() returns {safe_repr(weights)}; return a mapping"
        )
        for name, weight in weights.items():
            is_weight = isinstance(weight, (int, float)) and math.isfinite(weight) and weight >= 0
            require(
                is_weight, f"default_weights() gives {name!r} the weight {weight!r}; use a finite number >= 0"
            )
        require(any(weights.values()), f"default_weights() gives {safe_repr(weights)}: no component counts")


def components_are_scores(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """component() gives a ProxyScore for a component of its own, and None for other names."""
    from denas_core.contracts.score import ProxyScore

    for space in spaces:
        for name in score.default_weights(space):
            component: Any = score.component(name, space)
            require(
                component is None or isinstance(component, ProxyScore),
                f"component({name!r}) returns {safe_repr(component)}; return a ProxyScore, or None for an installed "
                "score",
            )


def components_repeat(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """component() gives equal scores each time."""
    for space in spaces:
        for name in score.default_weights(space):
            first, second = score.component(name, space), score.component(name, space)
            require(
                first == second,
                f"component({name!r}) is {safe_repr(first)} and then {safe_repr(second)}; it may depend on the "
                "options alone",
            )


def rows_get_a_number_each(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """combine() gives one number a row; rows that miss a value included, and none of them NaN."""
    for space in spaces:
        columns = _columns(score, space)
        for missing in (None, *columns):
            table = _table(score, space, _without(columns, missing))
            values = score.combine(table, space)
            require(
                len(values) == ROWS
                and all(isinstance(v, (int, float)) and not math.isnan(v) for v in values),
                f"combine() of {ROWS} rows{f', one without {missing}' if missing else ''}, gives "
                f"{safe_repr(values)}; give one number a row, minus infinity for what cannot be combined",
            )


def better_rows_get_more(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """A row that is better in every component gets the largest value."""
    for space in spaces:
        columns = _columns(score, space)
        directions = _directions(score, space)
        best = {
            name: [*column, max(column) + 1 if directions[name] == "maximize" else min(column) / 2]
            for name, column in columns.items()
        }
        values = score.combine(_table(score, space, best), space)
        require(
            values[-1] == max(values),
            f"combine() gives {values[-1]:.4g} to the row that is best in every component, and {max(values):.4g} to "
            "another; larger must be better, with the directions of the table",
        )


def values_ignore_the_order_of_rows(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """combine() gives a row the same value wherever it stands."""
    for space in spaces:
        columns = _columns(score, space)
        forwards = list(score.combine(_table(score, space, columns), space))
        reversed_ = {name: column[::-1] for name, column in columns.items()}
        backwards = list(score.combine(_table(score, space, reversed_), space))[::-1]
        same = all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(forwards, backwards, strict=True))
        require(
            same,
            f"combine() gives {safe_repr(forwards)}, and with the rows in reverse {safe_repr(backwards)}; treat rows "
            "alike",
        )


def it_leaves_the_process_alone(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """None of its methods changes global random generators, settings of torch or the working directory."""
    for space in spaces:
        with left_alone("combine() or component()"):
            _exercise(score, space)


def it_prints_nothing(score: CombinedScore, spaces: Sequence[SearchSpace]) -> None:
    """None of its methods prints."""
    for space in spaces:
        with silent("combine() or component()"):
            _exercise(score, space)


def _exercise(score: CombinedScore, space: SearchSpace) -> None:
    score.combine(_table(score, space, _columns(score, space)), space)


def _components(score: CombinedScore, space: SearchSpace) -> dict[str, ProxyScore | None]:
    weights = score.default_weights(space)
    found = {
        name: score.component(name, space) for name, weight in weights.items() if weight and name != LATENCY
    }
    if not found:
        raise CheckSkipped("it combines nothing by default")
    return found


def _columns(score: CombinedScore, space: SearchSpace) -> dict[str, list[float]]:
    rng = random.Random(0)
    return {name: [1 + rng.random() for _ in range(ROWS)] for name in _components(score, space)}


def _without(columns: Mapping[str, Sequence[float]], name: str | None) -> dict[str, list[float | None]]:
    return {key: [None if key == name else column[0], *column[1:]] for key, column in columns.items()}


def _directions(score: CombinedScore, space: SearchSpace) -> dict[str, Direction]:
    components = _components(score, space)
    return {name: "maximize" if found is None else found.direction for name, found in components.items()}


def _table(score: CombinedScore, space: SearchSpace, columns: Mapping[str, Sequence[float | None]]) -> Table:
    from denas_core.values.table import Table

    weights = {
        name: float(weight) for name, weight in score.default_weights(space).items() if name in columns
    }
    return Table(columns=columns, weights=weights, directions=_directions(score, space))


COMBINED_SCORE_CHECKS: tuple[Check, ...] = (
    default_weights_are_numbers,
    components_are_scores,
    components_repeat,
    rows_get_a_number_each,
    better_rows_get_more,
    values_ignore_the_order_of_rows,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
