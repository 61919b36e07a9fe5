"""What every score must do: give the same number for the same candidate, and leave everything else as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import tempfile
import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_core.errors import ScoreFailed
from denas_core.testing.check import Check, CheckFailed, CheckSkipped, require
from denas_core.testing.samples.surroundings import left_alone, restored, silent
from denas_core.text import safe_repr, type_name

from .measuring import Crashed, Recorder, brief, fitting, networks_of, traced, value_of

if TYPE_CHECKING:
    from denas_core.contracts.score import ProxyScore
    from denas_core.contracts.space import SearchSpace


def direction_is_known(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """Its direction is 'maximize' or 'minimize'."""
    require(
        score.direction in ("maximize", "minimize"),
        f"its direction is {score.direction!r}; set direction to 'maximize' or 'minimize'",
    )


def requirements_are_roles(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """requires() names roles that spaces have, as a frozenset."""
    from denas_core.contracts.score import CONTINUOUS_INPUT
    from denas_core.values.views import KINDS

    required: Any = score.requires()
    require(isinstance(required, frozenset), f"requires() returns {safe_repr(required)}; return a frozenset")
    known = {CONTINUOUS_INPUT, *KINDS, *(kind.partition(".")[0] for kind in KINDS)}
    for role in required:
        require(role in known, f"requires() names {role!r}; choose from {', '.join(sorted(known))}")


def passes_are_specifications(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """passes() returns the same pass specifications each time."""
    from denas_core.values.passes import PassSpec

    returned: Any = score.passes()
    require(
        isinstance(returned, Sequence),
        f"passes() returns a {type_name(returned)}; return a tuple, which for one pass is written (spec,)",
    )
    first, second = list(returned), list(score.passes())
    for spec in first:
        require(
            isinstance(spec, PassSpec),
            f"passes() returns {safe_repr(spec)}; return denas_core.PassSpec objects",
        )
        for name, annotation in typing.get_type_hints(PassSpec).items():
            choices, value = typing.get_args(annotation), getattr(spec, name)
            require(
                typing.get_origin(annotation) is not typing.Literal or value in choices,
                f"passes() returns a PassSpec with {name}={value!r}; choose from {', '.join(map(repr, choices))}",
            )
        require(
            spec.gradients == "none" or spec.readout != "none",
            f"passes() returns {brief(spec)}, which differentiates without a read-out; name it: readout='cotangent' "
            "or readout='sum'",
        )
    require(
        first == second,
        f"passes() returns {brief(*first)} and then {brief(*second)}; compute it from the options",
    )


def networks_get_a_value(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """Every network that has what it requires gets a value, or a ScoreFailed with the reason; each space some value."""
    for space in fitting(score, spaces):
        reasons = []
        for arch in networks_of(space):
            try:
                value_of(score, space, arch)
            except ScoreFailed as error:
                reasons.append(str(error))
                require(
                    bool(str(error)), "ScoreFailed is raised without a text; say why the score is undefined"
                )
            except Crashed as crash:
                require(
                    False,
                    f"{crash}; fix it, name what the score needs in requires(), or raise ScoreFailed with the reason",
                )
        require(
            len(reasons) < len(networks_of(space)),
            f"no network of {space.id} gets a value: {safe_repr(reasons[:1])}; name what the score needs in "
            "requires(), such as a role of weights, or denas_core.contracts.score.CONTINUOUS_INPUT for a perturbation",
        )


def values_are_numbers(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """Its value is a finite real number, not a tensor, a text or a truth value."""
    from denas_core.values.number import coerce_score

    for space, arch in _pairs(score, spaces):
        with _undefined_is_fine():
            value = value_of(score, space, arch)
            try:
                coerce_score(value)
            except ScoreFailed as error:
                require(
                    False,
                    f"measure() returns {safe_repr(value)}: {error}; return a finite float, e.g. float(tensor)",
                )


def values_repeat(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """The same network gets the same value again, to the last bit."""
    for space, arch in _pairs(score, spaces):
        with _undefined_is_fine():
            first, second = (_number(value_of(score, space, arch)) for _ in range(2))
            require(
                first == second,
                f"{safe_repr(arch.as_dict())} of {space.id} gets {first!r} and then {second!r}; draw random numbers "
                "from candidate.seed, e.g. by denas_core.seeding.derive_seed, and never from a clock",
            )


def values_ignore_the_surroundings(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """Its value depends neither on global random generators nor on the working directory."""
    import numpy
    import torch

    for space, arch in _pairs(score, spaces):
        with _undefined_is_fine():
            before = _number(value_of(score, space, arch))
            with restored(), tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
                random.seed(11)
                numpy.random.seed(11)
                torch.manual_seed(11)
                try:
                    after = _number(value_of(score, space, arch))
                except Crashed as crash:
                    raise CheckFailed(f"in another directory, under other global seeds, {crash}") from crash
            require(
                before == after,
                f"{safe_repr(arch.as_dict())} of {space.id} gets {before!r}, and {after!r} in another directory and "
                "under other global seeds; use a generator of its own, seeded from candidate.seed",
            )


def values_do_not_depend_on_order(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """A network gets the same value whatever was measured before."""
    for space in fitting(score, spaces):
        with _undefined_is_fine():
            archs = networks_of(space)
            forwards = [_number(value_of(score, space, arch)) for arch in archs]
            backwards = [_number(value_of(score, space, arch)) for arch in reversed(archs)]
            require(
                forwards == backwards[::-1],
                f"networks of {space.id} get {safe_repr(forwards)}, and in reverse order "
                f"{safe_repr(backwards[::-1])}; keep nothing between calls of measure()",
            )


def values_depend_on_the_seed(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """A score that runs freshly initialised networks gives other values under other seeds."""
    if all(spec.weights == "inherited" for spec in score.passes()):
        raise CheckSkipped("it runs no freshly initialised network")
    found = {}
    for space in fitting(score, spaces):
        for arch in networks_of(space):
            with _undefined_is_fine():
                found[space.id, arch.key] = {
                    _number(value_of(score, space, arch, seed=seed)) for seed in range(3)
                }
    require(
        not found or any(len(values) > 1 for values in found.values()),
        "its values are the same under seeds 0, 1 and 2; use what candidate.trace(spec) gives, and seed random numbers "
        "from candidate.seed",
    )


def values_tell_networks_apart(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """Not all networks get the same value."""
    values = set()
    for space, arch in _pairs(score, spaces):
        with _undefined_is_fine():
            values.add(_number(value_of(score, space, arch)))
    require(len(values) != 1, f"every network gets {values}; a constant ranks nothing")


def only_declared_passes_run(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """measure() asks for the passes that passes() names, and for no others."""
    declared = list(score.passes())
    bases = [dataclasses.replace(spec, perturbation=0.0).forward() for spec in declared if spec.perturbation]
    for space, arch in _pairs(score, spaces):
        candidate = Recorder(space, arch, passes=declared)
        with _undefined_is_fine():
            value_of(score, space, arch, candidate=candidate)
        for spec in candidate.asked:
            require(
                any(known.covers(spec) for known in (*declared, *bases)),
                f"measure() asks for {brief(spec)}, which passes() does not name; name it there, or leave it",
            )


def networks_are_left_alone(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """measure() changes no weight and no buffer of a network."""
    import torch

    if not score.passes():
        raise CheckSkipped("it runs no network")
    for space, arch in _pairs(score, spaces):
        candidate = Recorder(space, arch, passes=score.passes())
        with _undefined_is_fine():
            networks = [candidate.network(spec) for spec in score.passes()]
            kept = [{k: tensor.clone() for k, tensor in network.state_dict().items()} for network in networks]
            value_of(score, space, arch, candidate=candidate)
            for network, before in zip(networks, kept, strict=True):
                for name, tensor in network.state_dict().items():
                    require(
                        torch.equal(tensor, before[name]),
                        f"measure() changes {name!r} of {safe_repr(arch.as_dict())}; other scores share the network, "
                        "so work on a copy",
                    )


def traces_are_left_alone(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """measure() changes nothing in the traces, which other scores share."""
    import torch

    if not score.passes():
        raise CheckSkipped("it runs no network")
    for space, arch in _pairs(score, spaces):
        candidate = Recorder(space, arch, passes=score.passes())
        with _undefined_is_fine():
            kept = {spec: [t.clone() for t in traced(candidate.trace(spec))] for spec in score.passes()}
            value_of(score, space, arch, candidate=candidate)
            for spec, before in kept.items():
                after = traced(candidate.trace(spec))
                require(
                    all(torch.equal(one, other) for one, other in zip(before, after, strict=True)),
                    f"measure() changes the trace of {brief(spec)}; other scores share it, so work on a copy",
                )


def it_leaves_the_process_alone(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """measure() changes neither global random generators nor settings of torch nor the working directory."""
    for space, arch in _pairs(score, spaces):
        with left_alone("measure()"), _undefined_is_fine():
            value_of(score, space, arch, isolated=False)


def it_prints_nothing(score: ProxyScore, spaces: Sequence[SearchSpace]) -> None:
    """measure() prints nothing."""
    for space, arch in _pairs(score, spaces):
        with silent("measure()"), _undefined_is_fine():
            value_of(score, space, arch)


def _pairs(score: ProxyScore, spaces: Sequence[SearchSpace]) -> list[tuple[SearchSpace, Any]]:
    return [(space, arch) for space in fitting(score, spaces) for arch in networks_of(space)]


def _undefined_is_fine() -> contextlib.suppress:
    # A score may be undefined for a network; `networks_get_a_value` looks after that.
    return contextlib.suppress(ScoreFailed)


def _number(value: Any) -> Any:
    # A tensor of several numbers has no truth value; `values_are_numbers` looks after that.
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return repr(value)


SCORE_CHECKS: tuple[Check, ...] = (
    direction_is_known,
    requirements_are_roles,
    passes_are_specifications,
    networks_get_a_value,
    values_are_numbers,
    values_repeat,
    values_ignore_the_surroundings,
    values_do_not_depend_on_order,
    values_depend_on_the_seed,
    values_tell_networks_apart,
    only_declared_passes_run,
    networks_are_left_alone,
    traces_are_left_alone,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
