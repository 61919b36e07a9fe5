"""A trial: one architecture of a search and the result of its evaluation."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from denas_core.text import number, quantity

from .architecture import Architecture
from .html import paragraphs_html, table_html
from .latency import predicted_metrics
from .metrics import shown_metrics
from .record import Record

_EMPTY: Record[float] = Record({})

State = Literal["scored", "cut", "infeasible", "failed"]
STATES: tuple[State, ...] = get_args(State)
"""All states, from the one that ranks first to the one that ranks last."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result of evaluating one architecture. It holds plain values that JSON can represent.

    Attributes:
        state: ``scored``; ``cut``: it was not good enough after the first components of the score, and the others were
            not computed; ``infeasible``: it breaks a constraint; ``failed``: an error ended the evaluation.
        reason: Why the architecture has no score; empty if it has one.
        components: Raw score by component.
        metrics: ``params``, ``flops``, ...; ``latency_ms`` if it is predicted or measured.
        violation: Sum of the relative excess over each constraint; 0 if feasible.
        latency: Interval and verdict of the latency, see `Latency`; the verdict says whether it is predicted.
        seconds: Wall-clock seconds by step. They are never compared between trials.
        predicted: The predicted metrics of an architecture whose latency was measured after the search; else None.
    """

    state: State
    reason: str = ""
    components: Mapping[str, float] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    violation: float = 0.0
    latency: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    predicted: Mapping[str, float] | None = None

    @property
    def has_usable_latency(self) -> bool:
        """Whether the latency is known well enough for a ranking: predicted, or measured with a narrow interval."""
        if self.predicted is not None:
            return True
        return self.latency is not None and self.latency["verdict"] != "unstable"

    @property
    def has_predicted_latency(self) -> bool:
        """Whether the latency in `metrics` is a prediction, and not a measurement."""
        return bool(predicted_metrics(self.latency))

    def __post_init__(self) -> None:
        for name in ("components", "metrics", "seconds"):
            # Sorted, so that a new trial equals the same trial after it was stored and read.
            content = dict(sorted(getattr(self, name).items()))
            object.__setattr__(self, name, Record(content) if content else _EMPTY)
        if (self.state == "scored") != (self.reason == ""):
            raise ValueError(f"a {self.state} evaluation with the reason {self.reason!r}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One architecture of a search and its evaluation.

    Attributes:
        index: Number of the trial in the search, from 0.
        generation: Number of the generation that proposed it, from 0.
        arch: The architecture.
        evaluation: The result of its evaluation.
    """

    index: int
    generation: int
    arch: Architecture
    evaluation: Evaluation

    @property
    def is_scored(self) -> bool:
        """Whether the architecture is feasible and every component has a value."""
        return self.evaluation.state == "scored"

    def without_seconds(self) -> Trial:
        """Return the trial without its timings, so that a long search needs less memory."""
        return dataclasses.replace(self, evaluation=dataclasses.replace(self.evaluation, seconds={}))

    def as_dict(self) -> dict[str, Any]:
        """Return the trial in the form that ``denas trials --json`` prints."""
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
            **({} if result.predicted is None else {"predicted": dict(result.predicted)}),
        }

    def _repr_html_(self) -> str:
        result = self.evaluation
        predicted = predicted_metrics(result.latency)
        shown = shown_metrics({*result.metrics}.difference(result.components))
        rows = [
            *([name, number(value)] for name, value in result.components.items()),
            *(
                [name, f"{'~' if name in predicted else ''}{quantity(result.metrics[name])}"]
                for name in shown
            ),
            *([name, str(value)] for name, value in self.arch.as_dict().items()),
        ]
        said = f"trial {self.index}, {self.arch.key[:12]}: {result.state}"
        why = [result.reason] if result.reason else []
        return paragraphs_html([said, *why]) + table_html(["", "value"], rows)


def count_states(trials: Iterable[Trial]) -> dict[str, int]:
    """Return the number of trials by state. Only a search that cuts candidates has the state ``cut`` in it."""
    counts = collections.Counter(trial.evaluation.state for trial in trials)
    return {state: counts[state] for state in STATES if state != "cut" or counts[state]}
