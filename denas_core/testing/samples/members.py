"""Architectures and settings of a space to check with: few, the same ones each time."""

from __future__ import annotations

import random

from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckSkipped, fail
from denas_core.values.architecture import Architecture, KnobValue

from .difference import brief


def samples(space: SearchSpace, count: int = 6) -> list[Architecture]:
    """Return architectures drawn from a fixed seed."""
    rng = random.Random(0)
    return [space.sample(rng) for _ in range(count)]


def settings(space: SearchSpace, spaces: object = ()) -> list[dict[str, KnobValue]]:
    """Return combinations of values for all knobs, active or not, drawn from a fixed seed."""
    rng = random.Random(1)
    knobs = space.knobs()
    return [{knob.name: rng.choice(knob.values) for knob in knobs} for _ in range(20)]


def ends(space: SearchSpace) -> list[Architecture]:
    """Return the smallest and the full architecture, or two samples of a space that does not know its ends."""
    found = [arch for arch in (space.smallest(), space.full()) if arch is not None]
    return found or samples(space, 2)


def few(space: SearchSpace, spaces: object = ()) -> list[Architecture]:
    """Return the ends of a space and two samples."""
    return [*ends(space), *samples(space, 2)]


def different(space: SearchSpace, count: int = 6) -> list[Architecture]:
    """Return distinct architectures, the ends first; skip the check of a space with a single one."""
    found = list({arch.key: arch for arch in (*ends(space), *samples(space, 4 * count))}.values())
    if len(found) < 2:
        raise CheckSkipped("all samples are one architecture")
    return found[:count]


def text(arch: Architecture) -> str:
    """Return the values of an architecture as they stand in an error."""
    return brief(arch.as_dict())


def require_inside(space: SearchSpace, arch: object, method: str) -> None:
    """Fail unless `arch`, which `method` has returned, is an architecture of `space` with canonical values."""
    if not isinstance(arch, Architecture):
        fail(f"{method} returns {brief(arch)}; return an Architecture")
    advice = "make architectures by space.architecture(...), sample, mutate or crossover"
    choices = {knob.name: knob.values for knob in space.knobs()}
    for name, value in arch.values.items():
        if value not in choices.get(name, ()):
            fail(f"{method} sets {name!r} to {value!r}, not one of {brief(choices.get(name))}; {advice}")
    again = space.unchecked(space.canonical(arch.as_dict()))
    if arch.space != space.id or again.key != arch.key:
        fail(f"{method} gives {text(arch)}, of which canonical() makes {text(again)}; {advice}")
