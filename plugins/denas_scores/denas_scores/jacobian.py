"""How differently the outputs for different inputs depend on those: correlations of input gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .observed import ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Trace

EPSILON = 1e-5
"""Added to eigenvalues, as the paper's code does."""


@dataclasses.dataclass(kw_only=True)
class JacobianCovariance(ObservedScore):
    """The score of the correlation matrix of input gradients: -sum_i [log(l_i + k) + 1 / (l_i + k)], k = 1e-5.

    Mellor et al. 2020 (arXiv:2006.04647v1, eq. 2); l_i are the eigenvalues of the correlations, between samples, of the
    gradient of the sum of a sample's logits by its input. A network of tokens is differentiated by its embeddings. The
    batch is noise; batch-norm statistics are held constant, so that the gradient of a sample is its own.
    """

    kept: ClassVar[PassSpec] = PassSpec(readout="sum", gradients="inputs")

    def value(self, trace: Trace) -> float:
        """Return the score; larger the less the gradients are correlated.

        Raises:
            ScoreFailed: the network has no input to differentiate by, or a gradient is constant or not finite.
        """
        import torch

        correlations = gradient_correlations(trace.input_gradients)
        # The smallest may be negative by rounding.
        eigenvalues = torch.linalg.eigvalsh(correlations.cpu()).clamp(min=0) + EPSILON
        return -float((eigenvalues.log() + 1 / eigenvalues).sum())


def gradient_correlations(gradients: Mapping[str, Tensor]) -> Tensor:
    """Return the correlations between samples of their input gradients, (samples, samples) in float64.

    Raises:
        ScoreFailed: a gradient is constant, so that its correlations are undefined, or not finite.
    """
    import torch

    rows = torch.cat([gradient.flatten(1) for gradient in gradients.values()], 1).double()
    rows = rows - rows.mean(1, keepdim=True)
    sizes = rows.norm(dim=1, keepdim=True)
    if not bool(torch.isfinite(sizes).all()) or bool((sizes == 0).any()):
        raise ScoreFailed("the gradient by an input is constant or not finite")
    rows = rows / sizes
    correlations: Tensor = rows @ rows.T
    return correlations
