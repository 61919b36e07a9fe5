"""A score, which is one number for an untrained network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_core import PassSpec, ProxyScore, ScoreFailed, option

if TYPE_CHECKING:
    from denas_core import Candidate


@dataclasses.dataclass(kw_only=True)
class HelloScore(ProxyScore):
    """The norm of the gradient with respect to all weights on a batch of noise. Larger is better."""

    batch_size: int = option(16, "Samples of the batch", at_least=1, at_most=4096)

    def passes(self) -> Sequence[PassSpec]:
        """Return a pass that differentiates the read-out by the weights. Equal passes run only once."""
        return (PassSpec(size=self.batch_size, readout="cotangent", gradients="weights"),)

    def measure(self, candidate: Candidate) -> float:
        """Return the norm, without unit.

        Raises:
            ScoreFailed: the network has no weight that can be trained.
        """
        gradients = candidate.trace(self.passes()[0]).gradients.values()
        if not gradients:
            raise ScoreFailed("no weight can be trained")
        return float(sum(gradient.square().sum() for gradient in gradients) ** 0.5)
