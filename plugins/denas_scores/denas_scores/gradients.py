"""Scores of the gradient of a loss by the weights: sizes, products with the weights, and the Hessian's part."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from denas_core import FEED_FORWARD, PassSpec, ScoreFailed, option

from .differentiated import views_of_roles
from .observed import NoiseScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, Trace

ROLES = (*FEED_FORWARD, "attention")
"""Weights that the scores of this file look at: matrices and kernels, and neither norms nor biases nor embeddings."""

OF_LOSS = PassSpec(norm="coupled", readout="cross entropy", gradients="weights", roles=ROLES)
"""The run of all scores of a loss: one forward and one backward run, with the batch norms of training."""


class Weight(NamedTuple):
    """A weight and its gradient, both (out, in) or (out, in, kernel...)."""

    value: Tensor
    gradient: Tensor


@dataclasses.dataclass(kw_only=True)
class LossScore(NoiseScore):
    """A score of a run in which a loss is differentiated.

    By default the loss is the mean cross entropy of noise with fixed random labels, so neither data nor labels are
    needed. Random labels keep the size of the gradients of a network that has learned nothing. In a run with the user's
    data it is the loss of their task, with their labels.
    """

    kept: ClassVar[PassSpec] = OF_LOSS

    readout: Literal["cross entropy", "cotangent", "sum"] = option(
        "cross entropy",
        "What is differentiated: a cross entropy with random labels, a random sum of the outputs, or their sum",
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return one run a repeat."""
        return [dataclasses.replace(spec, readout=self.readout) for spec in super().passes()]


@dataclasses.dataclass(kw_only=True)
class WeightScore(LossScore):
    """A score of the weights and their gradients alone."""

    roles: ClassVar[tuple[str, ...]] = ROLES
    """Weights that count."""

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the score of one run.

        Raises:
            ScoreFailed: the network has no such weight.
        """
        views = views_of_roles(candidate, self.roles, trace.gradients)
        return self.value(
            [
                Weight(
                    view.of(trace.parameters[view.parameter]).double(),
                    view.of(self.gradients(trace)[view.parameter]).double(),
                )
                for view in views
            ]
        )

    def gradients(self, trace: Trace) -> dict[str, Tensor]:
        """Return what stands for the gradient, by parameter name."""
        return dict(trace.gradients)

    @abstractmethod
    def value(self, weights: Sequence[Weight]) -> float:
        """Return the score of the weights of one run, in float64."""


@dataclasses.dataclass(kw_only=True)
class GradNorm(WeightScore):
    """The sum over layers of the Euclidean norm of the gradient: sum_l ||dL/dW_l||.

    Abdelfattah et al. 2021 (arXiv:2101.08134). It takes one forward and one backward run. Its size
    depends on the initialisation and on the loss, and norms take part of it away.
    """

    def value(self, weights: Sequence[Weight]) -> float:
        """Return the sum, without unit; larger is better."""
        return sum(float(weight.gradient.norm()) for weight in weights)


@dataclasses.dataclass(kw_only=True)
class Snip(WeightScore):
    """The sum over weights of |W * dL/dW|, the change of the loss to first order if a weight were removed.

    Lee et al. 2019 (arXiv:1810.02340), summed over the network as by Abdelfattah et al. 2021 (arXiv:2101.08134). It
    takes one forward and one backward run. It grows with the number of weights. The public implementation removes
    batch norms for this score; here they stay, as in training.
    """

    def value(self, weights: Sequence[Weight]) -> float:
        """Return the sum, without unit; larger is better."""
        return sum(float((weight.value * weight.gradient).abs().sum()) for weight in weights)


@dataclasses.dataclass(kw_only=True)
class HeadImportance(Snip):
    """The sum of |W * dL/dW| over the projections of attention.

    Michel et al. 2019 (arXiv:1905.10650) by weights instead of by masks of heads, as a score by Serianni and
    Kalita 2023 (arXiv:2306.00288). It takes one forward and one backward run, and needs attention. It grows with the
    number of layers.
    """

    roles: ClassVar[tuple[str, ...]] = ("attention",)

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})


@dataclasses.dataclass(kw_only=True)
class Plain(WeightScore):
    """The sum over weights of W * dL/dW, with its sign.

    Mozer and Smolensky 1989 (skeletonization), as a score by Abdelfattah et al. 2021 (arXiv:2101.08134). It takes one
    forward and one backward run. Terms cancel, so it differs from batch to batch; it is here as a control. Where a
    norm follows a layer, the layer's own sum is 0: its output does not depend on the size of its weights.
    """

    def value(self, weights: Sequence[Weight]) -> float:
        """Return the sum, without unit; larger is better."""
        return sum(float((weight.value * weight.gradient).sum()) for weight in weights)


@dataclasses.dataclass(kw_only=True)
class Grasp(WeightScore):
    """Minus the sum over weights of W * H g, with g the gradient and H the Hessian of the loss.

    Wang et al. 2020 (arXiv:2002.07376), with the sign of Abdelfattah et al. 2021 (arXiv:2101.08134). It takes
    one forward and two backward runs, of which the second is twice as expensive, and attention without fused kernels.
    It differs much between batches; papers and programs do not agree on its sign.
    """

    kept: ClassVar[PassSpec] = dataclasses.replace(OF_LOSS, observe=("curvature",))

    def gradients(self, trace: Trace) -> dict[str, Tensor]:
        """Return the products with the Hessian, by parameter name."""
        return dict(trace.curvature)

    def value(self, weights: Sequence[Weight]) -> float:
        """Return minus the sum, without unit; larger is better."""
        return -sum(float((weight.value * weight.gradient).sum()) for weight in weights)


@dataclasses.dataclass(kw_only=True)
class EffectiveParams(WeightScore):
    """The number of weights that are on a path from the input to the output.

    A matrix or kernel counts whole if any element of its gradient is not 0: what is multiplied by it is not 0, and
    what comes out of it is used. Norms, biases and embeddings do not count. It takes one forward and one backward run.
    It is a count, to compare scores with. Cells with operations that return 0 have weights without effect; where every
    weight has one, it is the number of parameters without those of norms.
    """

    def value(self, weights: Sequence[Weight]) -> float:
        """Return the number; larger is better."""
        return float(sum(weight.value.numel() for weight in weights if bool((weight.gradient != 0).any())))


@dataclasses.dataclass(kw_only=True)
class Fisher(LossScore):
    """The sum over channels of mean_n (sum over positions of a * dL/da)^2 / 2, with a the output of a layer.

    Theis et al. 2018 (arXiv:1801.05787) and Turner et al. 2020 (arXiv:1906.04113), as a score by Abdelfattah et
    al. 2021 (arXiv:2101.08134). It takes one forward and one backward run. Its values are tiny, so they
    are added in float64. It is not defined for layers whose samples cannot be distinguished; these are left out.
    """

    kept: ClassVar[PassSpec] = dataclasses.replace(OF_LOSS, observe=("output gradients",))

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: the network has no linear or convolutional layer.
        """
        import torch

        total, layers = 0.0, 0
        for call in trace.layer_outputs:
            if call.gradient is None or len(call.outputs) != trace.spec.size:
                continue
            products = (
                call.outputs.to(torch.float64, copy=True).mul_(call.gradient).movedim(call.channels, -1)
            )
            saliency = products.reshape(len(products), -1, products.shape[-1]).sum(1)
            total += float(saliency.square().mean(0).sum()) / 2
            layers += 1
        if not layers:
            raise ScoreFailed(
                "the network has no linear or convolutional layer whose samples can be distinguished"
            )
        return total


@dataclasses.dataclass(kw_only=True)
class Zico(LossScore):
    """The sum over layers of log( sum over weights of E|g| / std(g) ), over the gradients g of several batches.

    Li et al. 2023 (arXiv:2301.11300). The standard deviation is that of the population of batches; a weight
    whose gradient is the same in all of them is left out, as is a layer of such weights. It takes one forward and one
    backward run a batch, the first of which other scores of a loss share. It adds over layers, so it counts them.
    """

    batches: int = option(2, "Batches on the same weights", at_least=2)

    def passes(self) -> Sequence[PassSpec]:
        """Return one run a batch and repeat."""
        return [
            dataclasses.replace(spec, batch=batch)
            for spec in super().passes()
            for batch in range(self.batches)
        ]

    def measure(self, candidate: Candidate) -> float:
        """Return the sum in natural units, averaged over the repeats; larger is better.

        Raises:
            ScoreFailed: the network has no weight to differentiate by, or none whose gradient differs.
        """
        traces = [candidate.trace(spec) for spec in self.passes()]
        runs = [traces[i : i + self.batches] for i in range(0, len(traces), self.batches)]
        return sum(self._value(candidate, run) for run in runs) / len(runs)

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the score of several equal batches, which is undefined."""
        return self._value(candidate, [trace])

    def _value(self, candidate: Candidate, traces: Sequence[Trace]) -> float:
        import torch

        terms = []
        for view in views_of_roles(candidate, ROLES, traces[0].gradients):
            gradients = torch.stack([view.of(trace.gradients[view.parameter]).double() for trace in traces])
            deviations = gradients.std(0, correction=0)
            ratios = gradients.abs().mean(0)[deviations > 0] / deviations[deviations > 0]
            if total := float(ratios.sum()):
                terms.append(torch.tensor(total).double().log())
        if not terms:
            raise ScoreFailed("no gradient differs from batch to batch")
        return float(torch.stack(terms).sum())
