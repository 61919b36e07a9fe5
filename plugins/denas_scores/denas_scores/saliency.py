"""Saliency: how much signal the weights carry together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from denas_core import FEED_FORWARD, PassSpec, ProxyScore, ScoreFailed, option

from .differentiated import views_of_roles

if TYPE_CHECKING:
    from denas_core import Candidate, Trace, WeightView


@dataclasses.dataclass(kw_only=True)
class Saliency(ProxyScore):
    """The log synaptic saliency of the weights: log sum |W * dR/dW|.

    R is the sum of the outputs for a constant batch, by default one input of ones, when weights and buffers are
    replaced by their magnitudes and every normalisation layer by the identity, in float64 because the product of many
    layers overflows float32 (Tanaka et al. 2020, arXiv:2006.05467, eq. 3).
    """

    batch_size: int = option(1, "Samples of the constant batch", at_least=1)
    dtype: Literal["float32", "float64"] = option(
        "float64", "Precision of the network; float32 overflows in deep networks"
    )
    over: Literal["feed-forward", "all"] = option(
        "feed-forward",
        "Weights that count: of convolutions, feed-forward layers and heads, or also of attention",
    )
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return one run of the all-positive network, differentiated by what is summed alone."""
        return (
            PassSpec(
                inputs="ones",
                size=self.batch_size,
                weights=self.weights_from,
                magnitude=True,
                dtype=self.dtype,
                norm="bypass",
                readout="sum",
                gradients="factors",
                roles=self._roles(),
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return the log of the sum, without unit; larger is better.

        Raises:
            ScoreFailed: no weight counts, a sum of zero, or overflow.
        """
        trace = candidate.trace(self.passes()[0])
        views = views_of_roles(candidate, self._roles(), {*trace.factors, *trace.gradients})
        total = sum(_flow(trace, view) for view in views)
        if not math.isfinite(total):
            raise ScoreFailed(f"saliency overflows {self.dtype}: the sum is {total!r}")
        if total == 0:
            raise ScoreFailed("saliency is 0: no signal passes the all-positive network")
        return math.log(total)

    def _roles(self) -> tuple[str, ...]:
        return FEED_FORWARD if self.over == "feed-forward" else (*FEED_FORWARD, "attention")


def _flow(trace: Trace, view: WeightView) -> float:
    """Return sum |W * dR/dW| over a view; no element of W is negative."""
    weight = view.of(trace.parameters[view.parameter])
    if view.parameter not in trace.factors:
        return float((weight * view.of(trace.gradients[view.parameter])).abs().sum())
    factors = trace.factors[view.parameter].of(view)
    if bool(factors.outputs.min() >= 0) and bool(factors.inputs.min() >= 0):
        # Sum W * (Y' X) = sum Y * (X W'), which needs no gradient, where no term of it is negative.
        return float((factors.outputs * (factors.inputs @ weight.T)).sum())
    return float((weight * factors.product()).abs().sum())
