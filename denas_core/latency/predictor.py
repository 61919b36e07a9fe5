"""What a search needs of a model of latency: the predicted latency of an architecture, with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from denas_core.values.architecture import Architecture
    from denas_core.values.latency import Latency


class LatencyPredictor(Protocol):
    """Predicts latency without running a network. A predictor can be pickled, because workers use it too."""

    def predict(self, arch: Architecture) -> Latency:
        """Return the predicted latency of one call, with the verdict ``predicted`` and the interval of the error.

        The same architecture always has the same prediction.
        """
        ...
