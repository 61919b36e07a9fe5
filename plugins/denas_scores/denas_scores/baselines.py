"""Parameter and FLOP counts as scores: what every train-free proxy has to beat."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from denas_core import ProxyScore

if TYPE_CHECKING:
    from denas_core import Candidate


@dataclasses.dataclass(kw_only=True)
class Params(ProxyScore):
    """The number of parameters; a larger network counts as better."""

    def measure(self, candidate: Candidate) -> float:
        """Return the number of parameters."""
        return float(candidate.cost()["params"])


@dataclasses.dataclass(kw_only=True)
class Flops(ProxyScore):
    """The floating-point operations of one sample, a multiply-add counted as two; more counts as better."""

    def measure(self, candidate: Candidate) -> float:
        """Return the floating-point operations of one sample."""
        return float(candidate.cost()["flops"])
