"""What every search space promises, with networks or without: knobs, canonical values, keys, operators, costs."""

from __future__ import annotations

import dataclasses
import math
import random
import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError
from denas_core.testing.check import CheckSkipped, check, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.members import different, ends, few, require_inside, samples, settings, text
from denas_core.values.architecture import Architecture, Knob, KnobValue
from denas_core.values.number import coerce_score

from . import networks
from .calls import Call, Loan
from .processes import keys_elsewhere, sampled_keys


def calls(space: SearchSpace, spaces: object = ()) -> Iterable[list[Call]]:
    """Yield how a search calls a space."""
    first, second = samples(space, 2)
    yield [
        Call("knobs()", lambda seed: space.knobs()),
        Call("canonical()", lambda seed: [space.canonical(values) for values in settings(space)]),
        Call("sample()", lambda seed: samples(space, 12)),
        Call("mutate()", lambda seed: [space.mutate(first, rng) for rng in _generators()]),
        Call("crossover()", lambda seed: [space.crossover(first, second, rng) for rng in _generators()]),
        Call("neighbours()", lambda seed: list(space.neighbours(first))),
        Call("parse() or format()", lambda seed: space.parse(space.format(first))),
        Call("fingerprint()", lambda seed: space.fingerprint()),
        Call("portable()", lambda seed: dict(space.portable())),
        Call("assets()", lambda seed: dict(space.assets())),
        Call("cost()", lambda seed: [dict(space.cost(arch)) for arch in (first, second)]),
        *networks.calls(space),
    ]


def loans(space: SearchSpace, spaces: object = ()) -> Iterable[Loan]:
    """Yield the calls of a space with objects that others use too."""
    for values in settings(space):
        yield Loan("canonical()", partial(space.canonical, values), values.copy)
    yield from networks.loans(space)


@check
def knobs_are_plain(space: SearchSpace) -> None:
    """knobs() returns a tuple of Knob whose values are tuples of numbers, texts and booleans, which JSON keeps."""
    knobs: Any = space.knobs()
    if not isinstance(knobs, tuple) or not all(isinstance(knob, Knob) for knob in knobs):
        fail(f"knobs() returns {brief(knobs)}; return a tuple of denas_core.Knob")
    for knob in knobs:
        if not isinstance(knob.values, tuple):
            fail(f"knob {knob.name!r} has the values {knob.values!r}; write a tuple")
        match knob.when:
            case None | (str(), tuple()):
                pass
            case _:
                fail(f"knob {knob.name!r} has when={knob.when!r}; write (parent, values): ('depth', (3,))")
        for value in knob.values:
            if type(value) not in (int, float, str, bool) or value in (math.inf, -math.inf) or value != value:
                fail(f"knob {knob.name!r} has the value {value!r}; use finite int, float, str or bool")


@check
def knobs_can_be_searched(space: SearchSpace) -> None:
    """Its knobs can be searched: distinct names and values, parents first, conditions that can hold."""
    from denas_core.setup.checks import check_knobs

    try:
        check_knobs(space)
    except ConfigError as error:
        fail(str(error))


@check_on(settings)
def canonical_accepts_any_values(space: SearchSpace, values: Mapping[str, KnobValue]) -> None:
    """canonical() takes any combination of knob values and returns values that the knobs have."""
    choices = {knob.name: knob.values for knob in space.knobs()}
    with must_succeed(f"canonical() of {brief(values)}", "repair any combination"):
        canonical = space.canonical(values)
    for name, value in canonical.items():
        if value not in choices.get(name, ()):
            fail(f"canonical() sets {name!r} to {value!r}, which is none of its values")


@check_on(settings)
def canonical_is_idempotent(space: SearchSpace, values: Mapping[str, KnobValue]) -> None:
    """Canonical values are their own canonical values."""
    once = space.canonical(values)
    twice = space.canonical(once)
    if dict(twice) != dict(once):
        fail(f"canonical() makes {brief(once)} and then {brief(twice)} of that; repair everything at once")


@check_on(settings)
def canonical_ignores_order(space: SearchSpace, values: dict[str, KnobValue]) -> None:
    """canonical() gives the same values whatever the order in which they are given."""
    if dict(space.canonical(values)) != dict(space.canonical(dict(reversed(values.items())))):
        fail(f"canonical() of {brief(values)} depends on their order; go through self.knobs() instead")


@check
def inactive_knobs_change_nothing(space: SearchSpace) -> None:
    """Settings that differ in inactive knobs alone are one architecture."""
    knobs = space.knobs()
    if all(knob.when is None for knob in knobs):
        raise CheckSkipped("every knob is always active")
    rng = random.Random(2)
    for arch in samples(space, 12):
        inactive = {k.name: rng.choice(k.values) for k in knobs if not k.is_active(arch.values)}
        if space.unchecked(space.canonical({**inactive, **arch.values})).key != arch.key:
            fail(
                f"{text(arch)} gets another key with the inactive {brief(inactive)}; drop inactive knobs in "
                "canonical(), e.g. by calling super().canonical(values)"
            )


@check
def architectures_are_inside(space: SearchSpace) -> None:
    """Samples, both ends, mutations, crossovers, blends and neighbours are architectures of the space."""
    found = samples(space, 12)
    for arch in found:
        require_inside(space, arch, "sample()")
    for method, end in (("smallest()", space.smallest()), ("full()", space.full())):
        if end is not None:
            require_inside(space, end, method)
    names = [knob.name for knob in space.knobs()]
    parents = [*found[:4], *ends(space)]
    for seed, (first, second) in enumerate(zip(parents, reversed(parents), strict=True)):
        rng = random.Random(seed)
        require_inside(space, space.mutate(first, rng), "mutate()")
        require_inside(space, space.crossover(first, second, rng), "crossover()")
        require_inside(space, space.blend(first, second, rng.sample(names, len(names) // 2)), "blend()")
    for neighbour in space.neighbours(found[0]):
        require_inside(space, neighbour, "neighbours()")


@check_on(lambda space, spaces: (*ends(space), *samples(space)))
def values_and_notation_can_be_read_again(space: SearchSpace, arch: Architecture) -> None:
    """architecture() and parse() make the same architecture again, from its values and from what format() writes."""
    notation: Any = space.format(arch)
    if not isinstance(notation, str) or "\n" in notation:
        fail(f"format() gives {brief(notation)}; return one line of text")
    with must_succeed(f"architecture() of {text(arch)}", "accept the values that the space makes"):
        again = space.architecture(arch.as_dict())
    if again.key != arch.key:
        fail(f"architecture() makes {text(again)} of {text(arch)}; the two keys must be equal")
    with must_succeed(f"parse() of {brief(notation)}", "read what format() writes"):
        again = space.parse(notation)
    if again.key != arch.key:
        fail(f"parse() reads {brief(notation)} as {text(again)}, another network than format() wrote")


@check
def keys_are_the_same_in_every_process(space: SearchSpace) -> None:
    """Samples and keys are the same in a Python process whose hashes are seeded differently."""
    here, there = sampled_keys(space), keys_elsewhere(space)
    if here != there:
        fail(
            f"another process draws {brief(there[:2])} where this one draws {brief(here[:2])}; use no hash(), sort "
            "sets, and take nothing from the machine"
        )


@check
def equal_keys_mean_equal_networks(space: SearchSpace) -> None:
    """Options that change the network of equal knob values change the fingerprint."""
    found = list(_variations(space))
    if not found:
        raise CheckSkipped("it has no option that can be varied")
    for option, other in found:
        for arch in few(space):
            try:
                twin = other.architecture(arch.as_dict())
            except DenasError:
                # These values mean nothing in the other space.
                continue
            if twin.key == arch.key and dict(space.cost(arch)) != dict(other.cost(twin)):
                fail(f"another {option} changes {text(arch)}, not its key; fingerprint() must change too")


@check_on(lambda space, spaces: different(space))
def mutations_are_others(space: SearchSpace, arch: Architecture) -> None:
    """A mutation is another architecture than its parent."""
    if any(space.mutate(arch, rng).key == arch.key for rng in _generators()):
        fail(f"mutate() returns its parent {text(arch)}; draw again until something changes")


@check_on(few)
def neighbours_are_others(space: SearchSpace, arch: Architecture) -> None:
    """Neighbours are distinct, and the architecture is not among its own."""
    keys = [arch.key, *(neighbour.key for neighbour in space.neighbours(arch))]
    if len(set(keys)) < len(keys):
        fail(f"neighbours() of {text(arch)} holds itself, or another one twice; compare by key")


@check_on(few)
def costs_are_counts(space: SearchSpace, arch: Architecture) -> None:
    """cost() has params and flops, and all it gives are finite numbers that are not negative."""
    cost = space.cost(arch)
    if missing := {"params", "flops"} - set(cost):
        fail(f"cost() lacks {' and '.join(sorted(missing))}; budgets and rankings need both")
    for name, value in cost.items():
        with must_succeed(f"cost() gives {name}={value!r}, which", "return a number >= 0"):
            if coerce_score(value) < 0:
                fail(f"cost() gives {name}={value!r} for {text(arch)}; return a number >= 0")


@check
def ends_bound_every_network(space: SearchSpace) -> None:
    """No network costs less than smallest() or more than full() in a metric of bounded_metrics()."""
    smallest, full, bounded = space.smallest(), space.full(), space.bounded_metrics()
    if smallest is None or full is None or not bounded:
        raise CheckSkipped("it names no metric that its ends bound")
    low, high = space.cost(smallest), space.cost(full)
    for arch in samples(space, 24):
        cost = space.cost(arch)
        for metric in bounded:
            if not low[metric] <= cost[metric] <= high[metric]:
                fail(
                    f"{text(arch)} has {cost[metric]:g} {metric}, outside {low[metric]:g} to {high[metric]:g}; order "
                    "values from small to large, define smallest() and full(), or leave it out of bounded_metrics()"
                )


def _generators() -> list[random.Random]:
    return [random.Random(seed) for seed in range(12)]


def _variations(space: SearchSpace) -> Iterator[tuple[str, SearchSpace]]:
    """Yield the space with each of its options changed in turn, by option; those that it accepts."""
    from denas_core.registry.options import make_component

    hints = typing.get_type_hints(type(space))
    options = space.options()
    for field in dataclasses.fields(space):
        for value in _other_values(options[field.name], hints[field.name]):
            try:
                yield field.name, make_component(type(space), {**options, field.name: value}, id=space.id)
            except DenasError:
                continue


def _other_values(value: Any, annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return [choice for choice in typing.get_args(annotation) if choice != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value / 2] if isinstance(value, float) else []
