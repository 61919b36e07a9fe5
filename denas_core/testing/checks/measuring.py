"""Measuring a score as a search does: one thread, one candidate with its passes."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denas_core.contracts.candidate import Candidate
from denas_core.errors import ConfigError, ScoreFailed
from denas_core.evaluation.scoring import Scoring
from denas_core.system.threads import pinned_threads
from denas_core.testing.check import CheckSkipped
from denas_core.testing.faults import told
from denas_core.testing.samples.members import different, ends
from denas_core.testing.samples.surroundings import restored
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.score import ProxyScore
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture
    from denas_core.values.passes import PassSpec, Trace


class Crashed(CheckSkipped):
    """A measurement raised something else than `ScoreFailed`; the check of that says so, and others do not apply."""


class Recorder(Candidate):
    """A candidate that remembers the passes it was asked for.

    Attributes:
        asked: The passes, in order.
    """

    def __init__(self, space: SearchSpace, arch: Architecture, **facts: Any) -> None:
        super().__init__(space, arch, **facts)
        self.asked: list[PassSpec] = []

    def trace(self, spec: PassSpec) -> Trace:
        """Return the trace of a pass, and remember the pass."""
        self.asked.append(spec)
        return super().trace(spec)


def fitting(score: ProxyScore, spaces: Sequence[SearchSpace]) -> list[SearchSpace]:
    """Return the spaces that have what a score requires.

    Raises:
        CheckSkipped: there is none.
    """
    found = [space for space in spaces if _fits(score, space)]
    if not found:
        raise CheckSkipped(
            f"none of {', '.join(space.id for space in spaces)} has {', '.join(sorted(score.requires()))}; give it a "
            "space that has (--space, or spaces() of the test class)"
        )
    return found


def networks_of(space: SearchSpace) -> list[Architecture]:
    """Return the ends of a space and another network."""
    return list({arch.key: arch for arch in (*ends(space), *different(space, 3))}.values())[:3]


def value_of(
    score: ProxyScore,
    space: SearchSpace,
    arch: Architecture,
    *,
    seed: int = 0,
    candidate: Candidate | None = None,
    isolated: bool = True,
) -> Any:
    """Return what `score` measures, of a new candidate if none is given, as it is.

    Args:
        score: The score.
        space: Space of the architecture.
        arch: The architecture.
        seed: Seed of the candidate.
        candidate: The candidate to measure.
        isolated: Puts the state of the process back afterwards, so that one fault is not found by every check.

    Raises:
        ScoreFailed: the score is undefined for it.
        Crashed: it raised anything else.
    """
    if candidate is None:
        candidate = Candidate(space, arch, seed=seed, passes=score.passes())
    with restored() if isolated else contextlib.nullcontext(), pinned_threads(1):
        try:
            return score.measure(candidate)
        except ScoreFailed:
            raise
        except Exception as error:
            raise Crashed(
                f"measure() raises {told(error)} for {safe_repr(arch.as_dict())} of {space.id}"
            ) from error


def traced(trace: Trace) -> list[Tensor]:
    """Return every tensor that a trace holds."""
    layers = [tensor for call in trace.layers for tensor in (call.inputs, call.output_gradient)]
    layers += [tensor for pair in trace.factors.values() for tensor in (pair.outputs, pair.inputs)]
    outputs = [trace.outputs.features, *trace.outputs.logits.values()]
    return [*outputs, *trace.parameters.values(), *trace.gradients.values(), *layers]


def brief(*specs: PassSpec) -> str:
    """Return passes as they would be written: without the fields that have their defaults."""
    return ", ".join(
        f"PassSpec({', '.join(f'{name}={value!r}' for name, value in _chosen(spec).items())})"
        for spec in specs
    )


def _chosen(spec: PassSpec) -> dict[str, Any]:
    found = {field.name: (getattr(spec, field.name), field.default) for field in dataclasses.fields(spec)}
    return {name: value for name, (value, default) in found.items() if value != default}


def _fits(score: ProxyScore, space: SearchSpace) -> bool:
    try:
        Scoring(score, space, _no_other)
    except ConfigError:
        return False
    return True


def _no_other(name: str) -> ProxyScore:
    raise ConfigError(f"there is no score {name!r} here")
