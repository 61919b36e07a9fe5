"""Scores of what layers put out: correlations of channels, principal components, and largest answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed, option

from .observed import NoiseScore, ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, Trace

ROUNDING = 1e-9
"""An eigenvalue of correlations below this is 0."""


@dataclasses.dataclass(kw_only=True)
class MeCo(ObservedScore):
    """The sum over layers of the smallest eigenvalue of the correlations of channels, for one sample.

    Jiang et al. 2023 (MeCo, NeurIPS 2023), over the outputs of linear and convolutional layers; the public
    program adds those of norms, activations and containers. Neither data nor labels are needed. It takes one forward
    run. A channel that does not vary has correlations of 0, as in the program. A layer with more channels than
    positions has a smallest eigenvalue of 0, so only wide feature maps count, and a layer with one position none.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("outputs",))

    def requires(self) -> frozenset[str]:
        """Return the need for convolutions: other layers seldom have more positions than channels."""
        return frozenset({"conv"})

    def value(self, trace: Trace) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: no layer gives several channels at several positions.
        """
        import torch

        smallest = []
        for call in trace.layer_outputs:
            if len(call.outputs) != trace.spec.size or call.outputs.dim() < 3:
                continue
            rows = call.outputs[0].movedim(call.channels if call.channels < 0 else call.channels - 1, 0)
            rows = rows.flatten(1).double()
            if len(rows) > 1 and rows.shape[1] > 1:
                correlations = torch.corrcoef(rows).nan_to_num(0.0)
                value = float(torch.linalg.eigvalsh(correlations.cpu())[0])
                # What is 0 but for rounding would decide between networks that have nothing else.
                smallest.append(value if value > ROUNDING else 0.0)
        if not smallest:
            raise ScoreFailed("no layer gives several channels at several positions")
        return sum(smallest)


@dataclasses.dataclass(kw_only=True)
class HeadConfidence(NoiseScore):
    """The sum over the projections to queries, keys and values of the mean of their largest output over positions.

    Serianni and Kalita 2023 (arXiv:2306.00288), after Voita et al. 2019 (arXiv:1905.09418): for each sample and feature
    the largest of the positions, averaged. Neither data nor labels are needed. It takes one forward run, and needs
    attention. It adds over layers: most of what it says is how many there are.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("outputs",))

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the sum, in units of the features; larger is better.

        Raises:
            ScoreFailed: no projection runs as a linear layer.
        """
        kinds = ("attention.q", "attention.k", "attention.v")
        outputs = list(outputs_of_roles(candidate, trace, kinds))
        if not outputs:
            raise ScoreFailed("no projection of attention runs as a linear layer")
        return sum(float(output.amax(1).double().mean()) for output in outputs)


@dataclasses.dataclass(kw_only=True)
class WPCA(NoiseScore):
    """The parameters times the sum over feed-forward layers of the principal components of their hidden states.

    Wang 2025 (W-PCA, arXiv:2504.15983). The hidden state is the output of the first of the two linear layers before
    its activation function, as in the author's program (ra225/W-PCA, models/mysupernet.py): as many components count as
    hold a share of 0.99 of its variance; rows are samples times positions. Without the parameters it is the paper's
    V-PCA. Neither data nor labels are needed. It takes one forward run and eigenvalues. It needs feed-forward layers;
    where a space does not tell the first layer from the last, both count. With fewer rows than features it counts rows.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("outputs",))

    share: float = option(0.99, "Share of the variance that the components hold", at_least=0.0, at_most=1.0)
    weighted: bool = option(True, "Multiplies by the number of parameters")

    def requires(self) -> frozenset[str]:
        """Return the need for feed-forward layers."""
        return frozenset({"ffn"})

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the product, in parameters; larger is better.

        Raises:
            ScoreFailed: no feed-forward layer runs as a linear layer, or its outputs are not finite.
        """
        outputs = list(outputs_of_roles(candidate, trace, ("ffn",), but="ffn.out"))
        if not outputs:
            raise ScoreFailed("no feed-forward layer runs as a linear layer")
        components = sum(principal_components(output.flatten(0, -2), self.share) for output in outputs)
        return components * (candidate.cost()["params"] if self.weighted else 1.0)


def principal_components(rows: Tensor, share: float) -> int:
    """Return how many principal components of `rows`, (rows, features), hold `share` of their variance.

    Raises:
        ScoreFailed: the rows are not finite.
    """
    import torch

    centred = (rows - rows.mean(0)).double()
    # The smaller Gram matrix of the two: both have the same eigenvalues but for zeros.
    gram = centred.T @ centred if rows.shape[1] <= len(rows) else centred @ centred.T
    if not bool(torch.isfinite(gram).all()):
        raise ScoreFailed("the hidden state of a feed-forward layer is not finite")
    shares = torch.linalg.eigvalsh(gram.cpu()).clamp(min=0).flip(0).cumsum(0)
    if float(shares[-1]) == 0:
        return 0
    return 1 + int((shares < share * shares[-1]).sum().clamp(max=len(shares) - 1))


def outputs_of_roles(
    candidate: Candidate, trace: Trace, roles: tuple[str, ...], *, but: str = ""
) -> Iterator[Tensor]:
    """Return what the weights of some roles put out, each (samples, positions, features).

    Args:
        candidate: The network.
        trace: A run that observed ``outputs``.
        roles: Roles that count.
        but: A role that does not.
    """
    views = [view for view in candidate.views() if any(map(view.has_role, roles))]
    for call in trace.layer_outputs:
        for view in views:
            if view.parameter != call.parameter or (but and view.has_role(but)):
                continue
            outputs = call.outputs[..., slice(*view.rows)] if view.rows else call.outputs
            if outputs.dim() == 2:
                outputs = outputs.reshape(trace.spec.size, -1, outputs.shape[-1])
            elif len(outputs) != trace.spec.size:
                # torch.nn.MultiheadAttention puts positions first.
                outputs = outputs.transpose(0, 1)
            yield outputs
