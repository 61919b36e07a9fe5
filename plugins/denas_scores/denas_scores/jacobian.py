"""How differently the outputs for different inputs depend on those: correlations of input gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed, option

from .observed import ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Trace

EPSILON = 1e-5
"""Added to eigenvalues, as the paper's code does."""

MANY_CLASSES = 100
"""For more classes than these, `EpeNas` compares classes with each other."""


@dataclasses.dataclass(kw_only=True)
class JacobianCovariance(ObservedScore):
    """The score of the correlation matrix of input gradients: -sum_i [log(l_i + k) + 1 / (l_i + k)], k = 1e-5.

    Mellor et al. 2020 (arXiv:2006.04647v1, eq. 2); l_i are the eigenvalues of the correlations, between samples, of the
    gradient of a read-out by the input. The read-out is a fixed random sum of the logits instead of their plain sum,
    which is constant where the last layer is a layer norm. A network of tokens is differentiated by its embeddings. The
    batch is noise; batch-norm statistics are held constant, so that the gradient of a sample is its own.
    """

    kept: ClassVar[PassSpec] = PassSpec(readout="cotangent", gradients="inputs")

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


@dataclasses.dataclass(kw_only=True)
class EpeNas(ObservedScore):
    """The sum over classes of |sum log(|C| + k)|, C the correlations of input gradients in a class, k = 1e-5.

    Lopes et al. 2021 (arXiv:2102.08099); for more than 100 classes, the mean over the classes of each
    class's sum of differences to all others, each class's value divided by its samples. The run is that of
    `JacobianCovariance`. The batch is noise, so sample i is given to class i modulo the number of classes: labels of
    noise could tell nothing more. A class of a single sample does not count. The authors mean labels of
    classification; values of different numbers of classes cannot be compared.
    """

    kept: ClassVar[PassSpec] = PassSpec(readout="cotangent", gradients="inputs")

    classes: int = option(10, "Classes that the samples are given to", at_least=1)

    def value(self, trace: Trace) -> float:
        """Return the score; larger is better.

        Raises:
            ScoreFailed: no class has two samples, or a gradient is constant or not finite.
        """
        correlations = gradient_correlations(trace.input_gradients)
        parts = [correlations[i :: self.classes, i :: self.classes] for i in range(self.classes)]
        parts = [part for part in parts if len(part) > 1]
        if not parts:
            raise ScoreFailed(
                f"a batch of {trace.spec.size} samples has no two of one of {self.classes} classes"
            )
        sums = [float((part.abs() + EPSILON).log().sum()) for part in parts]
        if self.classes <= MANY_CLASSES:
            return sum(map(abs, sums))
        means = [total / len(part) for total, part in zip(sums, parts, strict=True)]
        return sum(abs(a - b) for a in means for b in means) / len(means)


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
