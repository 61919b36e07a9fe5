"""The search for an architecture within bounds near one that breaks them."""

from __future__ import annotations

import bisect
import dataclasses
import heapq
import itertools
import math
import operator
import random
from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from denas_core.values.architecture import Architecture, KnobValue
from denas_core.values.objectives import Constraint

from .knob_space import KnobSpace

ROUNDS = 8
STALLED = 4
"""Rounds without an improvement after which nothing better is expected."""

MOVES = 32
"""Changes of one knob whose cost is counted in each round."""

COUNTED = 6
"""Sets of up to four changes whose cost is counted in each round."""

NEAREST = 6
"""Pairs of changes that are tried as the second half of such a set, for each first half."""

Values = tuple[float, ...]


class Bands:
    """The constraints as one interval a metric.

    Attributes:
        names: The metrics.
        ends: Lower and upper end of each metric; infinite where there is none.
        narrow: Place of the metric with the narrowest interval, relative to its upper end.
    """

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        ends: dict[str, tuple[float, float]] = {}
        for constraint in constraints:
            low, high = ends.get(constraint.metric, (-math.inf, math.inf))
            bound = constraint.bound
            ends[constraint.metric] = (low, min(high, bound)) if constraint.upper else (max(low, bound), high)
        self.names = tuple(ends)
        self.ends = tuple(ends.values())
        widths = [(high - low) / abs(high) if high < math.inf else math.inf for low, high in self.ends]
        self.narrow = widths.index(min(widths))

    def violation(self, values: Sequence[float]) -> float:
        """Return the sum of the relative excesses of the metrics."""
        total = 0.0
        for value, (low, high) in zip(values, self.ends, strict=True):
            if value < low:
                total += (low - value) / low
            elif value > high:
                total += (value - high) / high
        return total


@dataclasses.dataclass(frozen=True, slots=True)
class _Move:
    """Changes of knobs, and by how much they should change each bounded metric."""

    changes: Mapping[str, KnobValue]
    effects: Values

    def joined(self, other: _Move) -> _Move:
        return _Move(
            {**self.changes, **other.changes},
            tuple(map(operator.add, self.effects, other.effects)),
        )


def approach(
    space: KnobSpace,
    constraints: Sequence[Constraint],
    cost: Callable[[Architecture], Mapping[str, float]],
    start: Architecture,
    rng: random.Random,
    *,
    taken: Container[str] = (),
    is_over: Callable[[], bool] = lambda: False,
) -> Architecture:
    """Return an architecture near `start` that satisfies every constraint, or the least violating one that is found.

    Each round counts the cost of some changes of a single knob. The sums of these effects predict what up to four of
    them lead to together. The most promising sets of changes are counted, and the best one is made. If nothing is
    better, the next round begins at a mutation.

    Args:
        space: The space.
        constraints: The constraints, none of them on a measured metric.
        cost: Returns the metrics of an architecture.
        start: The architecture to start from.
        rng: The generator of all random numbers.
        taken: Keys of architectures that are not wanted although they satisfy the constraints.
        is_over: Whether to end early; it is asked before each count.
    """
    bands = Bands(constraints)

    def count(arch: Architecture) -> Values:
        metrics = cost(arch)
        return tuple(metrics[name] for name in bands.names)

    current, values = start, count(start)
    best, least = start, bands.violation(values)
    if not least and start.key not in taken:
        return start
    stalled = 0
    for _ in range(ROUNDS):
        here = bands.violation(values)
        nearest, reached = here or math.inf, current
        moves: list[_Move] = []
        changes = _changes(space, current, rng)
        # The second iterator begins when the first has ended, so it sees all moves.
        for number, made in enumerate(itertools.chain(changes, _promising(moves, values, bands, rng))):
            if is_over():
                return best
            other = space.changed(current, made, rng)
            after = count(other)
            violation = bands.violation(after)
            if other.key not in taken:
                if not violation:
                    return other
                if violation < nearest:
                    nearest, reached = violation, other
            if number < len(changes):
                effects = tuple(b - a for a, b in zip(values, after, strict=True))
                moves.append(_Move(made, effects))
        stalled += 1
        if nearest < least:
            best, least, stalled = reached, nearest, 0
        if stalled == STALLED:
            break
        is_better = nearest < here
        current = reached if is_better else space.mutate(best, rng, layer_probability=0.1)
        values = count(current)
    return best


def _changes(space: KnobSpace, arch: Architecture, rng: random.Random) -> list[dict[str, KnobValue]]:
    """Return up to `MOVES` changes of one knob in random order, of as many different knobs as possible."""
    left: list[tuple[str, list[KnobValue]]] = []
    for knob in space.knobs():
        if knob.name in arch.values and len(knob.values) > 1:
            others = [value for value in knob.values if value != arch[knob.name]]
            left.append((knob.name, rng.sample(others, min(len(others), MOVES))))
    rng.shuffle(left)
    changes: list[dict[str, KnobValue]] = []
    while left and len(changes) < MOVES:
        changes += [{name: others.pop()} for name, others in left]
        left = [(name, others) for name, others in left if others]
    return changes[:MOVES]


def _promising(
    moves: Sequence[_Move], values: Values, bands: Bands, rng: random.Random
) -> Iterator[Mapping[str, KnobValue]]:
    """Yield sets of two to four changes that should come nearest to the bounds.

    All pairs are sorted by their effect on the narrowest metric. A second pair that brings this metric nearest to its
    interval is then found by bisection.
    """
    pairs = [a.joined(b) for a, b in itertools.combinations(moves, 2) if a.changes.keys() != b.changes.keys()]
    place = bands.narrow
    low, high = bands.ends[place]
    halves = sorted([*moves, *pairs], key=lambda move: move.effects[place])
    effects = [move.effects[place] for move in halves]
    middle = (low + high) / 2
    wanted = middle if math.isfinite(middle) else min(high, max(low, values[place]))
    found: list[tuple[float, float, tuple[_Move, ...]]] = []
    for pair in pairs:
        reached = tuple(map(operator.add, values, pair.effects))
        found.append((bands.violation(reached), rng.random(), (pair,)))
        at = bisect.bisect(effects, wanted - reached[place])
        for half in halves[max(0, at - NEAREST // 2) : at + NEAREST // 2]:
            if pair.changes.keys().isdisjoint(half.changes):
                joined = tuple(map(operator.add, reached, half.effects))
                found.append((bands.violation(joined), rng.random(), (pair, half)))
    for _, _, parts in heapq.nsmallest(COUNTED, found):
        yield {name: value for part in parts for name, value in part.changes.items()}
