"""A model of latency that predicts the time of a network from the operators that it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture
    from denas_core.values.latency import Latency


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelError:
    """How far a latency model is from measurements of networks that it has not seen.

    Attributes:
        median_percent: Median of the absolute relative errors, in percent.
        tau: Kendall's tau-b between predicted and measured latencies; None if one of them is constant.
        networks: Number of networks that were compared.
    """

    median_percent: float
    tau: float | None
    networks: int

    def __str__(self) -> str:
        tau = "none" if self.tau is None else f"{self.tau:.2f}"
        return (
            f"median error {self.median_percent:.1f} %, Kendall tau {tau}, on {self.networks} unseen networks"
        )


@dataclasses.dataclass(kw_only=True)
class LatencyModel:
    """Predicts the latency of the networks of one space, for one probe on one machine. It is a `LatencyPredictor`.

    Attributes:
        space: The space whose networks it predicts.
        error: Its error on networks that it has not seen.
    """

    space: SearchSpace
    error: ModelError

    def predict(self, arch: Architecture) -> Latency:
        """Return the predicted latency of one call, with the verdict ``predicted`` and the interval of the error."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """Return the model as JSON can represent it, without the space."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], space: SearchSpace) -> LatencyModel:
        """Return the model that `as_dict` described.

        Raises:
            ConfigError: the document is damaged, or describes networks of another space.
        """
        raise NotImplementedError
