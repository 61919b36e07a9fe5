"""Saliency: how much signal the weights carry together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import FEED_FORWARD, PassSpec, ScoreFailed, option

from .differentiated import views_of_roles
from .observed import ConstantScore

if TYPE_CHECKING:
    from denas_core import Candidate, Trace, WeightView


@dataclasses.dataclass(kw_only=True)
class Saliency(ConstantScore):
    """The log synaptic saliency of the weights: log sum |W * dR/dW|.

    R is the sum of the outputs for a constant batch, by default one input of ones, when weights and buffers are
    replaced by their magnitudes and every normalisation layer by the identity, in float64 because the product of many
    layers overflows float32 (Tanaka et al. 2020, arXiv:2006.05467, eq. 3).
    """

    kept: ClassVar[PassSpec] = PassSpec(magnitude=True, norm="bypass", readout="sum", gradients="factors")

    dtype: Literal["float32", "float64"] = option(
        "float64", "Precision of the network; float32 overflows in deep networks"
    )
    over: Literal["feed-forward", "all"] = option(
        "feed-forward",
        "Weights that count: of convolutions, feed-forward layers and heads, or also of attention",
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return one run of the network of magnitudes, differentiated with respect to the summed weights alone."""
        (spec,) = super().passes()
        return (dataclasses.replace(spec, dtype=self.dtype, roles=self._roles()),)

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the log of the sum, without unit; larger is better.

        Raises:
            ScoreFailed: no weight counts, a sum of zero, or overflow.
        """
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
