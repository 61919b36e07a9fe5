"""The Zen score: how far features move with the input, with what batch norms take away put back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from denas_core import CONTINUOUS_INPUT, PassSpec, ProxyScore, ScoreFailed, option

from .expressivity import clean_and_perturbed, gaussian_complexity

if TYPE_CHECKING:
    from denas_core import Candidate


@dataclasses.dataclass(kw_only=True)
class Zen(ProxyScore):
    """log E|f(x) - f(x + 0.01 e)| plus the sum over batch norms of log sqrt(mean variance of their channels).

    Lin et al. 2021 (arXiv:2102.01063): f gives the features before pooling of the network without residual
    connections, with all weights, inputs and e from N(0, 1). Neither data nor labels are needed. It takes two forward
    runs a repeat, of which the paper has 32. The variances are those of the clean batch, and both inputs are
    normalised by them; the public program reads running averages of both instead. A network without batch norms has
    no second term and fails: see `scores/expressivity`.
    """

    reads_features: ClassVar[bool] = True

    batch_size: int = option(32, "Samples of the batch of noise", at_least=2)
    repeats: int = option(1, "Runs on other weights and another batch, whose values are averaged", at_least=1)

    def requires(self) -> frozenset[str]:
        """Return the need for convolutions, and for an input that noise can be added to."""
        return frozenset({"conv", CONTINUOUS_INPUT})

    def passes(self) -> Sequence[PassSpec]:
        """Return the clean and the perturbed run of each repeat."""
        clean = PassSpec(size=self.batch_size, weights="normal", variant="plain")
        return clean_and_perturbed(clean, self.repeats)

    def measure(self, candidate: Candidate) -> float:
        """Return the score in natural units; larger is better.

        Raises:
            ScoreFailed: the space has no continuous input, the network has no batch norm, or its features do not move.
        """
        traces = [candidate.trace(spec) for spec in self.passes()]
        total = 0.0
        for clean, perturbed in zip(traces[::2], traces[1::2], strict=True):
            if not clean.statistics:
                raise ScoreFailed("the network has no batch norm, which the Zen score puts back")
            variances = [inverse.double().square().reciprocal().mean() for _, inverse in clean.statistics]
            total += gaussian_complexity(clean.outputs, perturbed.outputs)
            total += sum(float(variance.log()) / 2 for variance in variances)
        return total / self.repeats
