"""A trial: one architecture, what became of it, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from .architecture import Architecture
from .record import Record

_EMPTY: Record[float] = Record({})

State = Literal["scored", "infeasible", "failed"]
STATES: tuple[State, ...] = get_args(State)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of evaluating one architecture; plain values, fit to be sent as JSON.

    Attributes:
        state: What became of it.
        reason: Why it is not scored; empty if it is.
        components: Raw score by component.
        metrics: ``params``, ``flops``, ...; ``latency_ms`` if measured.
        violation: Sum of the relative excess over each constraint; 0 if feasible.
        latency: Interval and verdict of the measured latency, see `Latency`.
        seconds: Wall-clock seconds by step; never part of what is compared.
    """

    state: State
    reason: str = ""
    components: Mapping[str, float] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    violation: float = 0.0
    latency: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def has_stable_latency(self) -> bool:
        """Whether the latency is measured, and its interval narrow enough to rank by."""
        return self.latency is not None and self.latency["verdict"] == "stable"

    def __post_init__(self) -> None:
        for name in ("components", "metrics", "seconds"):
            # Sorted, so that a trial is the same whether it was just scored or read back.
            content = dict(sorted(getattr(self, name).items()))
            object.__setattr__(self, name, Record(content) if content else _EMPTY)
        if (self.state == "scored") != (self.reason == ""):
            raise ValueError(f"a {self.state} evaluation with the reason {self.reason!r}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One architecture of a search and its evaluation.

    Attributes:
        index: Place in the search, from 0.
        generation: Generation that proposed it.
        arch: The architecture.
        evaluation: What became of it.
    """

    index: int
    generation: int
    arch: Architecture
    evaluation: Evaluation

    @property
    def is_scored(self) -> bool:
        """Whether it is feasible and has every component."""
        return self.evaluation.state == "scored"

    def without_seconds(self) -> Trial:
        """Return the trial without its timings, for the memory of a long search."""
        return dataclasses.replace(self, evaluation=dataclasses.replace(self.evaluation, seconds={}))

    def as_dict(self) -> dict[str, Any]:
        """Return the trial as the command line prints it, fit for JSON."""
        result = self.evaluation
        return {
            "index": self.index,
            "generation": self.generation,
            "key": self.arch.key,
            "arch": self.arch.as_dict(),
            "state": result.state,
            "reason": result.reason,
            "components": dict(result.components),
            "metrics": dict(result.metrics),
            "latency": None if result.latency is None else dict(result.latency),
            "seconds": dict(result.seconds),
        }
