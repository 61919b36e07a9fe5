"""Diversity: how far attention is from collapsing to low rank, by nuclear norms."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from denas_core import PassSpec, ProxyScore, ScoreFailed, option

from .differentiated import attention_views

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, LayerCall, WeightView


@dataclasses.dataclass(kw_only=True)
class Diversity(ProxyScore):
    """The synaptic diversity of attention: sum over its projections of ||W||_* ||dR/dW||_*.

    After Zhou et al. 2022 (arXiv:2203.12217, eq. 3), with true nuclear norms, the sum of singular values. The
    read-out R is a random cotangent: the plain sum of a final layer norm does not depend on any weight.
    """

    batch_size: int = option(1, "Samples of the constant batch", at_least=1)
    dtype: Literal["float32", "float64"] = option(
        "float32", "Precision of the network and of the singular values"
    )
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})

    def passes(self) -> Sequence[PassSpec]:
        """Return one run on a constant input, which leaves the two factors of each projection's gradient."""
        return (
            PassSpec(
                inputs="ones",
                size=self.batch_size,
                weights=self.weights_from,
                dtype=self.dtype,
                readout="cotangent",
                gradients="layers",
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: the network has no attention, or its projections are frozen.
        """
        spec = self.passes()[0]
        trace = candidate.trace(spec)
        calls: dict[str, list[LayerCall]] = defaultdict(list)
        for call in trace.layers:
            calls[call.parameter].append(call)
        parameters = candidate.network(spec).named_parameters()
        trainable = {name for name, parameter in parameters if parameter.requires_grad}
        total = 0.0
        for view in attention_views(candidate, trainable):
            weight = nuclear_norm(view.of(trace.parameters[view.parameter]))
            if view.parameter in calls:
                total += weight * nuclear_norm_of_gradient(calls[view.parameter], view)
            else:
                gradients = candidate.trace(dataclasses.replace(spec, gradients="weights")).gradients
                total += weight * nuclear_norm(view.of(gradients[view.parameter]))
        return total


def nuclear_norm_of_gradient(calls: Sequence[LayerCall], view: WeightView) -> float:
    """Return the nuclear norm of the gradient of a layer's weight, Y' X, from its output gradients Y and inputs X.

    Where there are fewer tokens than features, the rank is no more than the tokens: with Y' = P R and X' = Q S by QR,
    the singular values are those of R S', tokens by tokens.

    Raises:
        ScoreFailed: a factor is not finite.
    """
    import torch

    rows, columns = slice(*(view.rows or (None,))), slice(*(view.columns or (None,)))
    outputs = torch.cat([call.output_gradient.flatten(0, -2)[:, rows] for call in calls])
    inputs = torch.cat([call.inputs.flatten(0, -2)[:, columns] for call in calls])
    if len(inputs) > 0.75 * min(outputs.shape[1], inputs.shape[1]):
        # The QR would cost more than it saves.
        return nuclear_norm(outputs.T @ inputs)
    r, s = (torch.linalg.qr(factor.T, mode="r").R for factor in (outputs, inputs))
    return nuclear_norm(r @ s.T)


def nuclear_norm(matrix: Tensor) -> float:
    """Return the sum of the singular values of a matrix.

    Raises:
        ScoreFailed: the matrix is not finite.
    """
    import torch

    if not bool(torch.isfinite(matrix).all()):
        raise ScoreFailed("an attention weight or its gradient is not finite")
    return float(torch.linalg.svdvals(matrix).sum(dtype=torch.float64))
