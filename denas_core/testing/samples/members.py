"""Architectures and settings of a space to check with: few, the same ones each time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from denas_core.testing.check import CheckSkipped, require
from denas_core.text import safe_repr
from denas_core.values.architecture import Architecture, Value

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def samples(space: SearchSpace, count: int = 6) -> list[Architecture]:
    """Return architectures drawn from a fixed seed."""
    rng = random.Random(0)
    return [space.sample(rng) for _ in range(count)]


def settings(space: SearchSpace, count: int = 20) -> list[dict[str, Value]]:
    """Return combinations of values for all knobs, active or not, drawn from a fixed seed."""
    rng = random.Random(1)
    knobs = space.knobs()
    return [{knob.name: rng.choice(knob.values) for knob in knobs} for _ in range(count)]


def ends(space: SearchSpace) -> list[Architecture]:
    """Return the smallest and the full architecture, or two samples of a space that does not know its ends."""
    found = [arch for arch in (space.smallest(), space.full()) if arch is not None]
    return found or samples(space, 2)


def different(space: SearchSpace, count: int = 6) -> list[Architecture]:
    """Return distinct architectures.

    Raises:
        CheckSkipped: the space has a single one.
    """
    found = list({arch.key: arch for arch in (*ends(space), *samples(space, 4 * count))}.values())
    if len(found) < 2:
        raise CheckSkipped("all samples are one architecture")
    return found[:count]


def require_inside(space: SearchSpace, arch: object, who: str) -> None:
    """Fail unless `arch` is an architecture of `space` with canonical values.

    Raises:
        CheckFailed: naming what is wrong with it.
    """
    require(isinstance(arch, Architecture), f"{who} returns {safe_repr(arch)}; return an Architecture")
    assert isinstance(arch, Architecture)
    choices = {knob.name: knob.values for knob in space.knobs()}
    for name, value in arch.values.items():
        require(
            name in choices,
            f"{who} gives a value to {name!r}, which is no knob; it has {safe_repr(list(choices))}",
        )
        require(
            value in choices[name],
            f"{who} sets {name!r} to {value!r}, which is not among its values {safe_repr(choices[name])}; "
            "use space.architecture(...), sample, mutate or crossover to make architectures",
        )
    again = space.unchecked(space.canonical(arch.as_dict()))
    require(
        arch.space == space.id and again.key == arch.key,
        f"{who} gives {safe_repr(arch.as_dict())}, which is not canonical: canonical() makes it "
        f"{safe_repr(again.as_dict())}; "
        "make architectures by space.architecture(...), or by sample, mutate and crossover",
    )
