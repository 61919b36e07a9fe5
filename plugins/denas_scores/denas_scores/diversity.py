"""Diversity: how far attention is from collapsing to low rank, by nuclear norms."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from denas_core import PassSpec, ProxyScore, ScoreFailed, option

from .differentiated import attention_views

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate


@dataclasses.dataclass(kw_only=True)
class Diversity(ProxyScore):
    """The synaptic diversity of attention: sum over its projections of ||W||_* ||dR/dW||_*.

    After Zhou et al. 2022 (arXiv:2203.12217, eq. 3), with true nuclear norms, the sum of singular values. The
    read-out R is a random cotangent: the plain sum of a final layer norm does not depend on any weight.
    """

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
        """Return one run on a constant input."""
        return (
            PassSpec(
                inputs="ones",
                size=1,
                weights=self.weights_from,
                dtype=self.dtype,
                readout="cotangent",
                gradients="weights",
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return the sum, without unit; larger is better.

        Raises:
            ScoreFailed: the network has no attention, or its projections are frozen.
        """
        trace = candidate.trace(self.passes()[0])
        return sum(
            nuclear_norm(view.of(trace.parameters[view.parameter]))
            * nuclear_norm(view.of(trace.gradients[view.parameter]))
            for view in attention_views(candidate, trace)
        )


def nuclear_norm(matrix: Tensor) -> float:
    """Return the sum of the singular values of a matrix.

    Raises:
        ScoreFailed: the matrix is not finite.
    """
    import torch

    if not bool(torch.isfinite(matrix).all()):
        raise ScoreFailed("an attention weight or its gradient is not finite")
    return float(torch.linalg.svdvals(matrix).sum(dtype=torch.float64))
