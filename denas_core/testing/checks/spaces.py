"""What every search space must do, built or not: knobs, canonical values, sampling, operators, keys, notation, cost."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.faults import told
from denas_core.testing.samples.members import ends, require_inside, samples, settings
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import safe_repr
from denas_core.values.architecture import Architecture, Knob

from .checkpoints import CHECKPOINT_CHECKS
from .costs import COST_CHECKS
from .fresh_process import keys_elsewhere, sampled_keys
from .networks import NETWORK_CHECKS, exercise_networks
from .operators import OPERATOR_CHECKS
from .variations import variations

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def knobs_can_be_searched(space: SearchSpace) -> None:
    """Its knobs can be searched: distinct names and values, parents first, conditions that can hold."""
    from denas_core.errors import ConfigError
    from denas_core.setup.checks import check_knobs

    try:
        check_knobs(space)
    except ConfigError as error:
        require(False, str(error))


def knobs_are_plain(space: SearchSpace) -> None:
    """knobs() returns a tuple of Knob whose values are tuples of numbers, texts and booleans, which JSON keeps."""
    knobs: Any = space.knobs()
    is_plain_tuple = isinstance(knobs, tuple) and all(isinstance(knob, Knob) for knob in knobs)
    require(is_plain_tuple, f"knobs() returns {safe_repr(knobs)}; return a tuple of denas_core.Knob")
    for knob in knobs:
        require(
            isinstance(knob.values, tuple),
            f"knob {knob.name!r} has the values {knob.values!r}; write a tuple",
        )
        match knob.when:
            case None | (str(), tuple()):
                pass
            case _:
                require(
                    False,
                    f"knob {knob.name!r} has when={knob.when!r}; write (parent, values): ('depth', (3,))",
                )
        for value in knob.values:
            is_plain = type(value) in (int, float, str, bool) and (
                type(value) is not float or math.isfinite(value)
            )
            require(
                is_plain,
                f"knob {knob.name!r} has the value {value!r}, a {type(value).__name__}: use int, float, str or bool",
            )


def knobs_repeat(space: SearchSpace) -> None:
    """knobs() returns the same each time."""
    first, second = space.knobs(), space.knobs()
    require(
        first == second,
        f"knobs() returns {safe_repr(first)} and then {safe_repr(second)}; it may depend on the options alone",
    )


def canonical_accepts_any_values(space: SearchSpace) -> None:
    """canonical() takes any combination of knob values and returns values that the knobs have."""
    choices = {knob.name: knob.values for knob in space.knobs()}
    for values in settings(space):
        try:
            canonical = space.canonical(values)
        except Exception as error:
            require(
                False,
                f"canonical() of {safe_repr(values)} raises {told(error)}; repair any combination",
            )
        for name, value in canonical.items():
            require(
                value in choices.get(name, ()),
                f"canonical() sets {name!r} to {value!r}, which is none of its values",
            )


def canonical_is_idempotent(space: SearchSpace) -> None:
    """Canonical values are their own canonical values."""
    for values in settings(space):
        once = space.canonical(values)
        twice = space.canonical(once)
        require(
            dict(twice) == dict(once),
            f"canonical() makes {safe_repr(once)} of {safe_repr(values)} and then {safe_repr(twice)} of that: it "
            "must repair everything at once",
        )


def canonical_ignores_order(space: SearchSpace) -> None:
    """canonical() gives the same values whatever the order in which they are given."""
    for values in settings(space):
        forward, backward = space.canonical(values), space.canonical(dict(reversed(values.items())))
        require(
            dict(forward) == dict(backward),
            f"canonical() of {safe_repr(values)} depends on their order; go through self.knobs() instead",
        )


def inactive_knobs_change_nothing(space: SearchSpace) -> None:
    """Settings that differ in inactive knobs alone are one architecture."""
    knobs = space.knobs()
    if all(knob.when is None for knob in knobs):
        raise CheckSkipped("every knob is always active")
    rng = random.Random(2)
    for arch in samples(space, 12):
        inactive = {k.name: rng.choice(k.values) for k in knobs if not k.is_active(arch.values)}
        other = space.unchecked(space.canonical({**inactive, **arch.values}))
        require(
            other.key == arch.key,
            f"{safe_repr(arch.as_dict())} gets another key with the inactive {safe_repr(inactive)}; drop inactive "
            "knobs in canonical(), e.g. by calling super().canonical(values)",
        )


def samples_repeat(space: SearchSpace) -> None:
    """Sampling twice with equal generators gives the same architecture."""
    first, second = samples(space, 12), samples(space, 12)
    for one, other in zip(first, second, strict=True):
        require(
            one.key == other.key,
            f"sample() draws {safe_repr(one.as_dict())} and then {safe_repr(other.as_dict())} with an equal rng; "
            "draw from the rng that is given, and nothing else",
        )


def samples_are_inside(space: SearchSpace) -> None:
    """Every sample, and both ends, are architectures of the space."""
    for arch in samples(space, 12):
        require_inside(space, arch, "sample()")
    for name, end in (("smallest()", space.smallest()), ("full()", space.full())):
        if end is not None:
            require_inside(space, end, name)


def values_round_trip(space: SearchSpace) -> None:
    """architecture() makes the same architecture again from its values."""
    from denas_core.errors import DenasError

    for arch in (*samples(space), *ends(space)):
        try:
            again = space.architecture(arch.as_dict())
        except DenasError as error:
            require(False, f"architecture() refuses the values of {safe_repr(arch.as_dict())}: {error}")
        require(
            again.key == arch.key,
            f"architecture() makes {safe_repr(again.as_dict())} of {safe_repr(arch.as_dict())}; the two keys must be "
            "equal",
        )


def notation_round_trips(space: SearchSpace) -> None:
    """parse() reads what format() writes, which is one line."""
    from denas_core.errors import DenasError

    for arch in (*samples(space), *ends(space)):
        text = space.format(arch)
        require(
            isinstance(text, str) and "\n" not in text,
            f"format() gives {safe_repr(text)}; return one line of text",
        )
        try:
            again = space.parse(text)
        except DenasError as error:
            require(False, f"parse() refuses {safe_repr(text)}, which format() wrote: {error}")
        require(
            again.key == arch.key,
            f"parse() reads {safe_repr(text)} as {safe_repr(again.as_dict())}, another network",
        )


def keys_are_the_same_in_every_process(space: SearchSpace) -> None:
    """Samples and keys are the same in a Python process whose hashes are seeded differently."""
    here, there = sampled_keys(space), keys_elsewhere(space)
    require(
        here == there,
        f"another process draws {safe_repr(there[:2])} where this one draws {safe_repr(here[:2])}: something depends "
        "on "
        "hash(), on the order of a set, or on the machine; sort it, or use fingerprint() for what changes the network",
    )


def equal_keys_mean_equal_networks(space: SearchSpace) -> None:
    """Options that change the network of equal knob values change the fingerprint."""
    known = variations(space)
    if not known:
        raise CheckSkipped("it has no option that can be varied")
    for option, other in known:
        for arch in (*ends(space), *samples(space, 2)):
            twin = _twin(other, arch)
            if twin is None or twin.key != arch.key:
                continue
            here, there = space.cost(arch), other.cost(twin)
            differing = sorted(
                name for name in here.keys() | there.keys() if here.get(name) != there.get(name)
            )
            require(
                not differing,
                f"with another {option} the network of {safe_repr(arch.as_dict())} has another "
                f"{' and '.join(differing)}, and the same key; fingerprint() must tell the two apart",
            )


def it_leaves_the_process_alone(space: SearchSpace) -> None:
    """None of its methods changes global random generators, settings of torch or the working directory."""
    with left_alone(f"space {space.id!r}"):
        _exercise(space)


def it_prints_nothing(space: SearchSpace) -> None:
    """None of its methods prints."""
    with silent(f"space {space.id!r}"):
        _exercise(space)


def _exercise(space: SearchSpace) -> None:
    first, second = samples(space, 2)
    rng = random.Random(0)
    space.mutate(first, rng)
    space.crossover(first, second, rng)
    space.neighbours(first)
    space.parse(space.format(first))
    space.fingerprint()
    space.portable()
    space.assets()
    space.cost(first)
    exercise_networks(space, first)


def _twin(other: SearchSpace, arch: Architecture) -> Architecture | None:
    """Return the network of the same values in `other`; None where they mean nothing there."""
    from denas_core.errors import DenasError

    try:
        return other.architecture(arch.as_dict())
    except DenasError:
        return None


SPACE_CHECKS: tuple[Check, ...] = (
    knobs_are_plain,
    knobs_can_be_searched,
    knobs_repeat,
    canonical_accepts_any_values,
    canonical_is_idempotent,
    canonical_ignores_order,
    inactive_knobs_change_nothing,
    samples_repeat,
    samples_are_inside,
    values_round_trip,
    notation_round_trips,
    keys_are_the_same_in_every_process,
    equal_keys_mean_equal_networks,
    *OPERATOR_CHECKS,
    *COST_CHECKS,
    it_leaves_the_process_alone,
    it_prints_nothing,
    *NETWORK_CHECKS,
    *CHECKPOINT_CHECKS,
)
