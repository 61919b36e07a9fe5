"""Scores of the all-positive network, and of the size of the weights alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import PassSpec, ProxyScore, ScoreFailed, option

from .differentiated import views_of_roles
from .diversity import nuclear_norm
from .gradients import ROLES
from .observed import ConstantScore
from .saliency import Saliency

if TYPE_CHECKING:
    from denas_core import Architecture, Candidate, SearchSpace, Trace


@dataclasses.dataclass(kw_only=True)
class Synflow(Saliency):
    """The log synaptic flow, log sum |W * dR/dW| over all weights: see `Saliency`, whose default leaves out attention.

    Tanaka et al. 2020 (arXiv:2006.05467, eq. 3). R is the sum of the outputs of the network of magnitudes for one
    input of ones. Neither data nor labels are needed. It takes one forward and one backward run of one sample, in
    float64, since float32 overflows. Norms are the identity: with batch norms it is another score.
    """

    over: Literal["feed-forward", "all"] = option(
        "all", "Weights that count: of convolutions, feed-forward layers and heads, or also of attention"
    )


@dataclasses.dataclass(kw_only=True)
class LogSynflow(Synflow):
    """The sum over weights of |W| * log(|dR/dW| + 1), in the network of `Synflow`.

    Cavagnero et al. 2023 (FreeREA, arXiv:2207.05135): the logarithm keeps the largest gradients from
    deciding. It takes one forward and one backward run of one sample, and shares them with `Synflow`.
    """

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: no weight counts, or overflow.
        """
        total = 0.0
        for view in views_of_roles(candidate, ROLES, {*trace.factors, *trace.gradients}):
            name = view.parameter
            factors = trace.factors.get(name)
            gradient = view.of(trace.gradients[name]) if factors is None else factors.of(view).product()
            total += float((view.of(trace.parameters[name]).abs() * gradient.abs().log1p()).sum())
        if not math.isfinite(total):
            raise ScoreFailed(f"the flow overflows {self.dtype}: the sum is {total!r}")
        return total


@dataclasses.dataclass(kw_only=True)
class DSS(ConstantScore):
    """The sum of ||dR/dW||_* ||W||_* over the projections of attention, and of |W * dR/dW| over all other weights.

    Zhou et al. 2022 (TF-TAS, arXiv:2203.12217), in the network of magnitudes on a constant batch, with its norms
    as they are. By default R is a random sum of the outputs: their plain sum, which the paper takes of a network with
    a head, does not depend on any weight behind a layer norm. Neither data nor labels are needed. It takes one forward
    and one backward run of one sample, and singular values. It needs attention. The two terms differ in scale, so that
    one of them decides.
    """

    kept: ClassVar[PassSpec] = PassSpec(magnitude=True, gradients="weights", roles=ROLES)

    readout: Literal["cotangent", "sum"] = option(
        "cotangent", "What is differentiated: a random sum of the outputs, or their sum"
    )

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})

    def passes(self) -> Sequence[PassSpec]:
        """Return one run of the network of magnitudes."""
        (spec,) = super().passes()
        return (dataclasses.replace(spec, readout=self.readout),)

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: no weight can be differentiated by, or a gradient is not finite.
        """
        total = 0.0
        for view in views_of_roles(candidate, ROLES, trace.gradients):
            weight = view.of(trace.parameters[view.parameter])
            gradient = view.of(trace.gradients[view.parameter])
            if view.is_attention:
                total += nuclear_norm(weight) * nuclear_norm(gradient)
            else:
                total += float((weight.double() * gradient.double()).abs().sum())
        return total


@dataclasses.dataclass(kw_only=True)
class L2Norm(ProxyScore):
    """The sum over layers of the Euclidean norm of the weights: sum_l ||W_l||.

    Abdelfattah et al. 2021 (arXiv:2101.08134). It runs nothing. It measures the initialisation and the number of
    layers and weights, and nothing else.
    """

    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def measure(self, candidate: Candidate) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: the network has no matrix and no kernel.
        """
        weights = candidate.each_weight(PassSpec(weights=self.weights_from))
        views = views_of_roles(candidate, ROLES, weights)
        return sum(float(view.of(weights[view.parameter]).double().norm()) for view in views)

    def memory_bytes(self, space: SearchSpace, arch: Architecture) -> int:
        """Return the size of a newly drawn network; inherited weights are read one after the other."""
        return 0 if self.weights_from == "inherited" else int(4 * space.cost(arch).get("params", 0))
