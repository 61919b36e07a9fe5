"""How differently units, and gradients by them, answer to different samples, late layers more than early ones."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .gradients import OF_LOSS, LossScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, Trace


@dataclasses.dataclass(kw_only=True)
class WRCor(LossScore):
    """log det K, K the sum over activation functions of 2^l (|C_a| + |C_g|).

    Jing et al. 2025 (arXiv:2507.08841, eq. 10 and 11): C_a are the correlations between samples of what goes into an
    activation function, C_g those of the gradient of the loss by it, and l is the number of blocks before it, as in
    the authors' program. A matrix with a sample that does not vary is left out, as there. It takes one forward and one
    backward run. The weights double with every block, so the last few decide; log det has a constant for every block,
    which lets depth in. In a network without blocks l is 0.
    """

    kept: ClassVar[PassSpec] = dataclasses.replace(OF_LOSS, observe=("correlations", "gradient correlations"))

    def value_of(self, candidate: Candidate, trace: Trace) -> float:
        """Return the log determinant; larger is better.

        Raises:
            ScoreFailed: no activation function can be seen, or the matrix is singular.
        """
        import torch

        total: Tensor | None = None
        for call in trace.correlations:
            for matrix in (call.inputs, call.gradients):
                if matrix is not None and bool(torch.isfinite(matrix).all()):
                    term = 2.0**call.block * matrix.abs()
                    total = term if total is None else total + term
        if total is None:
            raise ScoreFailed("the network has no activation function whose answers vary")
        sign, value = torch.linalg.slogdet(total.cpu())
        if float(sign) <= 0:
            raise ScoreFailed("the matrix of correlations is singular: two samples have equal answers")
        return float(value)
