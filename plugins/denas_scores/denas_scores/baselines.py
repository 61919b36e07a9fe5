"""Counts as scores, of parameters, FLOPs and blocks: what every train-free proxy has to beat."""

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
class Depth(ProxyScore):
    """The number of blocks, see `SearchSpace.block_names`; a deeper network counts as better."""

    def measure(self, candidate: Candidate) -> float:
        """Return the number of blocks."""
        import torch

        space = candidate.space
        with torch.device("meta"):
            return float(len(space.block_names(space.build(candidate.arch))))


@dataclasses.dataclass(kw_only=True)
class Flops(ProxyScore):
    """The floating-point operations of one sample, a multiply-add counted as two; more counts as better."""

    def measure(self, candidate: Candidate) -> float:
        """Return the floating-point operations of one sample."""
        return float(candidate.cost()["flops"])
