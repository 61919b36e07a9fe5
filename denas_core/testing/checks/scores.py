"""What every score promises: a finite number for each network, from the passes that it declares."""

from __future__ import annotations

import contextlib
import dataclasses
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from denas_core.contracts.candidate import Candidate
from denas_core.contracts.score import CONTINUOUS_INPUT, ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, ScoreFailed
from denas_core.evaluation.scoring import Scoring
from denas_core.testing.check import CheckSkipped, check, check_on, fail, must_succeed
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.members import different, text
from denas_core.text import type_name
from denas_core.values.architecture import Architecture
from denas_core.values.number import coerce_score
from denas_core.values.passes import PassSpec
from denas_core.values.views import KINDS

from .calls import Call, Loan

Spaces = tuple[SearchSpace, ...]


@dataclasses.dataclass(frozen=True)
class Case:
    """A network that a score is tried on."""

    score: ProxyScore
    space: SearchSpace
    arch: Architecture

    def __str__(self) -> str:
        return f"{text(self.arch)} of {self.space.id}"

    def candidate(self, seed: int = 0) -> Candidate:
        """Return a new candidate of the network."""
        return Candidate(self.space, self.arch, seed=seed, passes=self.score.passes())

    def value(self, candidate: Candidate) -> Any:
        """Return what the score measures, or the ScoreFailed where it is undefined."""
        try:
            return self.score.measure(candidate)
        except ScoreFailed as error:
            return error

    def number(self, seed: int) -> Any:
        """Return what the score measures as a number, or as text what else it returns."""
        value = self.value(self.candidate(seed))
        with contextlib.suppress(TypeError, ValueError, RuntimeError, OverflowError):
            return float(value)
        return repr(value)

    def call(self, draws: bool) -> Call:
        """Return a measurement."""
        return Call("measure()", lambda seed: {str(self): self.number(seed)}, draws=draws)

    def loan(self) -> Loan:
        """Return a measurement, with the networks and traces that other scores use too."""
        candidate = self.candidate()
        networks = [candidate.network(spec) for spec in self.score.passes()]
        traces = [candidate.trace(spec) for spec in self.score.passes()]
        return Loan(
            "measure()",
            lambda: self.value(candidate),
            lambda: {"networks": [dict(each.state_dict()) for each in networks], "traces": traces},
        )


def fitting(score: ProxyScore, spaces: Spaces) -> list[SearchSpace]:
    """Return the spaces that have what a score requires; skip the check if there is none."""
    found = [space for space in spaces if _fits(score, space)]
    if not found:
        names, required = ", ".join(space.id for space in spaces), ", ".join(sorted(score.requires()))
        raise CheckSkipped(f"none of {names} has {required}; name a space that has it (--space, or spaces())")
    return found


def cases(score: ProxyScore, spaces: Spaces) -> list[Case]:
    """Return the networks that a score is tried on: of each space that fits the ends and another one."""
    return [Case(score, space, arch) for space in fitting(score, spaces) for arch in different(space, 3)]


def calls(score: ProxyScore, spaces: Spaces) -> Iterator[list[Call]]:
    """Yield how a search calls a score."""
    draws = any(spec.weights != "inherited" for spec in score.passes())
    yield [
        Call("passes()", lambda seed: written(*score.passes())),
        *(case.call(draws) for case in cases(score, spaces)),
    ]


def loans(score: ProxyScore, spaces: Spaces) -> Iterator[Loan]:
    """Yield the calls of a score with networks and traces that other scores use too."""
    if not score.passes():
        raise CheckSkipped("it runs no network")
    for case in cases(score, spaces):
        # A pass may be undefined for a network.
        with contextlib.suppress(ScoreFailed):
            yield case.loan()


@check
def declarations_are_known(score: ProxyScore) -> None:
    """Its direction is 'maximize' or 'minimize', and requires() returns a frozenset of roles that spaces have."""
    if score.direction not in ("maximize", "minimize"):
        fail(f"its direction is {score.direction!r}; set direction to 'maximize' or 'minimize'")
    required: Any = score.requires()
    known = {CONTINUOUS_INPUT, *KINDS, *(kind.partition(".")[0] for kind in KINDS)}
    if not isinstance(required, frozenset) or required - known:
        fail(f"requires() returns {brief(required)}; return a frozenset of {', '.join(sorted(known))}")


@check
def passes_are_specifications(score: ProxyScore) -> None:
    """passes() returns pass specifications that can run."""
    returned: Any = score.passes()
    if not isinstance(returned, Sequence):
        fail(f"passes() returns a {type_name(returned)}; return a tuple, for one pass (spec,)")
    for spec in returned:
        if not isinstance(spec, PassSpec):
            fail(f"passes() returns {brief(spec)}; return denas_core.PassSpec objects")
        for name, annotation in typing.get_type_hints(PassSpec).items():
            choices, value = typing.get_args(annotation), getattr(spec, name)
            if typing.get_origin(annotation) is typing.Literal and value not in choices:
                fail(f"passes() returns {written(spec)}; choose {name} from {', '.join(map(repr, choices))}")
        if spec.gradients != "none" and spec.readout == "none":
            fail(f"passes() returns {written(spec)}, which has no read-out; add readout='cotangent' or 'sum'")


@check_on(fitting)
def networks_get_a_number(score: ProxyScore, space: SearchSpace) -> None:
    """A network with what it requires gets a finite number, or a ScoreFailed with the reason; some get a number."""
    reasons, networks = [], cases(score, (space,))
    for case in networks:
        advice = "fix it, name what the score needs in requires(), or raise ScoreFailed with the reason"
        with must_succeed(f"measure() of {case}", advice):
            value = case.value(case.candidate())
        if isinstance(value, ScoreFailed):
            reasons.append(str(value))
            continue
        with must_succeed(
            f"measure() returns {brief(value)}, which", "return a finite float, e.g. float(tensor)"
        ):
            coerce_score(value)
    if "" in reasons:
        fail("ScoreFailed is raised without a text; say why the score is undefined")
    if len(reasons) == len(networks):
        fail(
            f"no network of {space.id} gets a value: {brief(reasons[:1])}; name what the score needs in requires(), "
            "such as a role of weights, or denas_core.contracts.score.CONTINUOUS_INPUT for a perturbation"
        )


@check_on(lambda score, spaces: [cases(score, spaces)])
def values_tell_networks_apart(score: ProxyScore, networks: list[Case]) -> None:
    """Not all networks get the same value."""
    values = {case.number(0) for case in networks}
    if len(values) < 2:
        fail(f"every network gets {values}; a constant ranks nothing")


@check_on(cases)
def only_declared_passes_run(score: ProxyScore, case: Case) -> None:
    """measure() asks for the passes that passes() names, and for no others."""
    declared = list(score.passes())
    bases = [dataclasses.replace(spec, perturbation=0.0).forward() for spec in declared if spec.perturbation]
    candidate = case.candidate()
    case.value(candidate)
    for spec in candidate.pass_seconds:
        if not any(known.covers(spec) for known in (*declared, *bases)):
            fail(f"measure() asks for {written(spec)}, which passes() does not name; name it there")


def written(*specs: PassSpec) -> str:
    """Return passes as they would be written: without the fields that have their defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(PassSpec)}
    return ", ".join(
        f"PassSpec({', '.join(f'{k}={getattr(spec, k)!r}' for k, d in defaults.items() if getattr(spec, k) != d)})"
        for spec in specs
    )


def _fits(score: ProxyScore, space: SearchSpace) -> bool:
    def nothing_else(name: str) -> ProxyScore:
        raise ConfigError(f"there is no score {name!r} here")

    try:
        Scoring(score, space, nothing_else)
    except ConfigError:
        return False
    return True
