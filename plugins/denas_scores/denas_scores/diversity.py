"""Diversity: how far attention is from collapsing to low rank, by nuclear norms."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import PassSpec, ScoreFailed, option

from .differentiated import attention_views
from .observed import ConstantScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, GradientFactors, Trace


@dataclasses.dataclass(kw_only=True)
class Diversity(ConstantScore):
    """The synaptic diversity of attention: sum over its projections of ||W||_* ||dR/dW||_*.

    After Zhou et al. 2022 (arXiv:2203.12217, eq. 3), with true nuclear norms, the sum of singular values. The
    read-out R is a random cotangent: the plain sum of a final layer norm does not depend on any weight.
    """

    kept: ClassVar[PassSpec] = PassSpec(readout="cotangent", gradients="factors", roles=("attention",))

    noise: float = option(0.0, "Standard deviation of noise on its continuous inputs", at_least=0)
    dtype: Literal["float32", "float64"] = option(
        "float32", "Precision of the network and of the singular values"
    )

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})

    def passes(self) -> Sequence[PassSpec]:
        """Return one run on the constant batch, differentiated with respect to the projections alone."""
        (spec,) = super().passes()
        # The features of the batch without noise are all alike. Their statistics would enlarge the noise without bound.
        norm: Literal["coupled", "batch"] = "coupled" if self.noise else "batch"
        return (dataclasses.replace(spec, perturbation=self.noise, dtype=self.dtype, norm=norm),)

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: the network has no attention, or its projections are frozen.
        """
        total = 0.0
        for view in attention_views(candidate, {*trace.factors, *trace.gradients}):
            name = view.parameter
            weight = nuclear_norm(view.of(trace.parameters[name]))
            if name in trace.factors:
                total += weight * nuclear_norm_of_product(trace.factors[name].of(view))
            else:
                total += weight * nuclear_norm(view.of(trace.gradients[name]))
        return total


def nuclear_norm_of_product(factors: GradientFactors) -> float:
    """Return the nuclear norm of a gradient Y' X from its factors.

    Where there are fewer rows than features, the rank is no more than the rows: with Y' = P R and X' = Q S by QR, the
    singular values are those of R S', rows by rows.

    Raises:
        ScoreFailed: a factor is not finite.
    """
    import torch

    outputs, inputs = factors.outputs, factors.inputs
    if len(inputs) > 0.75 * min(outputs.shape[1], inputs.shape[1]):
        # The QR would cost more than it saves.
        return nuclear_norm(factors.product())
    r, s = (torch.linalg.qr(factor.T, mode="r").R for factor in (outputs, inputs))
    return nuclear_norm(r @ s.T)


def nuclear_norm(matrix: Tensor) -> float:
    """Return the sum of the singular values of a matrix.

    Those of a float32 matrix are the roots of the eigenvalues of its Gram matrix in float64, faster than its singular
    values in float32 and nearer to them: the smallest are known to the root of the precision of float64.

    Raises:
        ScoreFailed: the matrix is not finite.
    """
    import torch

    if not bool(torch.isfinite(matrix).all()):
        raise ScoreFailed("an attention weight or its gradient is not finite")
    if matrix.dtype == torch.float64:
        return float(torch.linalg.svdvals(matrix).sum())
    rows, columns = matrix.shape
    wide = (matrix if rows <= columns else matrix.T).double()
    # Rounding may make the smallest negative.
    return float(torch.linalg.eigvalsh(wide @ wide.T).clamp(min=0).sqrt().sum())
