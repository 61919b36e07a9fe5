"""Metrics of the target that are predicted, so that a search knows them without running a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from denas_core.values.latency import Latency

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture

    from .space import SearchSpace


class Predicts(Protocol):
    """What predicts the latency of one call, see `denas_core.latency.predictor.LatencyPredictor`."""

    def predict(self, arch: Architecture) -> Latency:
        """Return the predicted latency of one call."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Predicts the metrics that follow from a latency.

    Attributes:
        predictor: Predicts the latency of one call. The same architecture always has the same prediction.
        units: How much data one call processes, by unit, see `LatencyProbe.units`.
        names: Names of the metrics that `SearchSpace.latency_metrics` returns.
        machine: Name of the other machine whose latency is predicted; None for the machine of the search.
    """

    predictor: Predicts
    units: Mapping[str, float]
    names: frozenset[str]
    machine: str | None = None

    def latency(self, arch: Architecture) -> Latency:
        """Return the predicted latency of one call."""
        return self.predictor.predict(arch)

    def describe(self, latency: Latency) -> dict[str, object]:
        """Return a predicted latency as a trial keeps it, with the metrics that are predicted, and the machine."""
        other = {} if self.machine is None else {"machine": self.machine}
        return {**latency.as_dict(), "metrics": sorted(self.names), **other}

    def metrics(self, space: SearchSpace, latency: Latency) -> dict[str, float]:
        """Return the metrics that follow from a predicted latency."""
        found = space.latency_metrics(latency, self.units)
        return {name: float(found[name].median) for name in sorted(self.names) if name in found}
