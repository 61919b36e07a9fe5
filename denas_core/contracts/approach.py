"""The search for an architecture within bounds near one that breaks them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence

from denas_core.values.architecture import Architecture, KnobValue
from denas_core.values.objectives import Constraint

from .knob_space import KnobSpace

ROUNDS = 8
MOVES = 24
"""Changes of one knob whose cost is counted in each round."""

MOST_JOINED = 6
"""Changes of one knob that are made at once."""

BEAM = 24
"""Sets of changes that are extended by another change."""

COUNTED = 3
"""Sets of changes whose cost is counted in each round."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Move:
    """A change of one knob, the architecture that it leads to, and by how much it changes each bounded metric."""

    knob: str
    value: KnobValue
    arch: Architecture
    effects: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Joined:
    """A set of changes, by their places in the list of changes, and what it should lead to."""

    places: tuple[int, ...]
    values: tuple[float, ...]
    violation: float


def approach(
    space: KnobSpace,
    constraints: Sequence[Constraint],
    cost: Callable[[Architecture], Mapping[str, float]],
    start: Architecture,
    rng: random.Random,
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> Architecture:
    """Return an architecture near `start` that satisfies every constraint, or the least violating one that is found.

    Each round counts the cost of some changes of a single knob. The sums of these effects predict what several changes
    at once lead to. The most promising sets of changes are counted, and the best one is made. If nothing is better,
    the next round begins at a mutation.

    Args:
        space: The space.
        constraints: The constraints, none of them on a measured metric.
        cost: Returns the metrics of an architecture.
        start: The architecture to start from.
        rng: The generator of all random numbers.
        is_over: Whether to end early; it is asked before each count.
    """
    names = list(dict.fromkeys(constraint.metric for constraint in constraints))
    bounds = [(names.index(c.metric), c) for c in constraints]

    def total(values: Sequence[float]) -> float:
        return sum(bound.violation(values[place]) for place, bound in bounds)

    def count(arch: Architecture) -> tuple[float, ...]:
        metrics = cost(arch)
        return tuple(metrics[name] for name in names)

    current, values = start, count(start)
    best, least = start, total(values)
    for _ in range(ROUNDS):
        if not least:
            return best
        here = total(values)
        found: list[tuple[float, Architecture]] = []
        moves: list[_Move] = []
        for knob, value in _changes(space, current, rng):
            if is_over():
                return best
            other = space.changed(current, {knob: value}, rng)
            reached = count(other)
            found.append((total(reached), other))
            if not found[-1][0]:
                return other
            effects = tuple(after - before for after, before in zip(reached, values, strict=True))
            moves.append(_Move(knob, value, other, effects))
        for joined in _promising(moves, values, total):
            if is_over():
                return best
            chosen = [moves[place] for place in joined.places]
            other = space.changed(current, {move.knob: move.value for move in chosen}, rng)
            found.append((total(count(other)), other))
            if not found[-1][0]:
                return other
        nearest, reached_arch = min(found, key=lambda pair: pair[0], default=(here, current))
        if nearest < least:
            best, least = reached_arch, nearest
        current = reached_arch if nearest < here else space.mutate(best, rng)
        values = count(current)
    return best


def _changes(space: KnobSpace, arch: Architecture, rng: random.Random) -> list[tuple[str, KnobValue]]:
    """Return up to `MOVES` changes of one knob in random order, of as many different knobs as possible."""
    left: list[tuple[str, list[KnobValue]]] = []
    for knob in space.knobs():
        if knob.name in arch.values and len(knob.values) > 1:
            others = [value for value in knob.values if value != arch[knob.name]]
            left.append((knob.name, rng.sample(others, min(len(others), MOVES))))
    rng.shuffle(left)
    changes: list[tuple[str, KnobValue]] = []
    while left and len(changes) < MOVES:
        changes += [(name, others.pop()) for name, others in left]
        left = [(name, others) for name, others in left if others]
    return changes[:MOVES]


def _promising(
    moves: Sequence[_Move], values: tuple[float, ...], total: Callable[[Sequence[float]], float]
) -> list[_Joined]:
    """Return the sets of at least two changes that should come nearest to the bounds."""
    beam = [_Joined((), values, total(values))]
    best: list[_Joined] = []
    for size in range(1, MOST_JOINED + 1):
        larger: dict[tuple[int, ...], _Joined] = {}
        for joined in beam:
            knobs = {moves[place].knob for place in joined.places}
            for place, move in enumerate(moves):
                places = tuple(sorted((*joined.places, place)))
                if move.knob in knobs or places in larger:
                    continue
                reached = tuple(a + b for a, b in zip(joined.values, move.effects, strict=True))
                larger[places] = _Joined(places, reached, total(reached))
        beam = sorted(larger.values(), key=lambda joined: joined.violation)[:BEAM]
        if size > 1:
            best = sorted((*best, *beam[:COUNTED]), key=lambda joined: joined.violation)[:COUNTED]
        if best and not best[-1].violation:
            break
    return best
