"""The components as the original DE-NAS computes them, for comparison; slow, and with its known defects.

They differ from the original in three ways: seeds are derived for every architecture, dropout is off, and where the
original picks transformer layers by name, the roles of the views decide.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core import Direction, PassSpec, ProxyScore, Recipe, option

from .differentiated import views_of_roles
from .expressivity import PERTURBATION, gaussian_complexity

if TYPE_CHECKING:
    from denas_core import Candidate, WeightView

_COUNTS = Recipe(arithmetic="sum", weights={}, batch_size=1).saliency
"""What a recipe counts that does not say otherwise."""


@dataclasses.dataclass(kw_only=True)
class ReferenceScore(ProxyScore):
    """What the reference components have in common; made by the DE-Score from a space's recipe."""

    batch_size: int = option(64, "Samples of a batch of noise", at_least=2)
    synaptic_batch_size: int = option(1, "Samples of the constant batch", at_least=1)
    noise: float = option(
        0.0, "Standard deviation of noise on the inputs of diversity's constant batch", at_least=0
    )
    variant: Literal["full", "plain"] = option("full", "Structure that is scored")
    initialisation: Literal["normal", "fresh", "inherited"] = option("fresh", "Weights that are scored")
    drawn: list[str] = option([], "What 'normal' draws, if not every matrix and kernel: roles, and 'norm'")
    roles: list[str] = option(["attention"], "Roles of the weights that diversity looks at")
    counts: dict[str, int] = option(dict(_COUNTS), "How often saliency counts the weights of a role")

    def _weights(self) -> dict[str, Any]:
        return {"weights": self.initialisation, "drawn": tuple(self.drawn), "variant": self.variant}


@dataclasses.dataclass(kw_only=True)
class ReferenceExpressivity(ReferenceScore):
    """Gaussian complexity with each batch normalised by its own statistics."""

    reads_features: ClassVar[bool] = True

    def passes(self) -> Sequence[PassSpec]:
        """Return the clean and the perturbed forward run."""
        clean = PassSpec(size=self.batch_size, norm="coupled", **self._weights())
        return clean, dataclasses.replace(clean, perturbation=PERTURBATION)

    def measure(self, candidate: Candidate) -> float:
        """Return the log of the mean change of the features."""
        clean, perturbed = (candidate.trace(spec).outputs for spec in self.passes())
        return gaussian_complexity(clean, perturbed)


@dataclasses.dataclass(kw_only=True)
class ReferenceComplexity(ReferenceScore):
    """The condition number of the kernel over all parameters named ``weight``, those of batch-norm included.

    Batch-norm couples the samples: the gradient of a read-out passes through the statistics of the batch.
    """

    direction: ClassVar[Direction] = "minimize"

    def passes(self) -> Sequence[PassSpec]:
        """Return a run with one backward for each sample."""
        return (
            PassSpec(
                size=self.batch_size,
                norm="coupled",
                **self._weights(),
                readout="sum",
                gradients="samples",
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return largest / smallest eigenvalue, 0 where that is not a number; it may be negative."""
        import torch

        kernel = torch.zeros(self.batch_size, self.batch_size, dtype=torch.float64, device=candidate.device)
        for name, gradient in candidate.trace(self.passes()[0]).gradients.items():
            if "weight" in name:
                flat = gradient.flatten(1)
                kernel += (flat @ flat.T).double()
        if not bool(torch.isfinite(kernel).all()):
            return 0.0
        eigenvalues = torch.linalg.eigvalsh(kernel.cpu())
        ratio = float(eigenvalues[-1] / eigenvalues[0])
        return 0.0 if math.isnan(ratio) else ratio


@dataclasses.dataclass(kw_only=True)
class ReferenceDiversity(ReferenceScore):
    """What the original calls nuclear norm: the sum over attention of the product of two Frobenius norms.

    The read-out is the plain sum, which is rounding noise behind a final layer norm.
    """

    def requires(self) -> frozenset[str]:
        """Return the need for attention."""
        return frozenset({"attention"})

    def passes(self) -> Sequence[PassSpec]:
        """Return one run on a constant input, with noise where the original drew it at random."""
        return (
            PassSpec(
                inputs="ones",
                size=self.synaptic_batch_size,
                perturbation=self.noise,
                norm="coupled",
                **self._weights(),
                readout="sum",
                gradients="weights",
                roles=tuple(self.roles),
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return sum ||W||_F ||dR/dW||_F over the roles, a fused projection counted as one matrix."""
        trace = candidate.trace(self.passes()[0])
        views = views_of_roles(candidate, self.roles, trace.gradients)
        names = dict.fromkeys(view.parameter for view in views)
        return sum(
            float(trace.parameters[name].double().norm() * trace.gradients[name].double().norm())
            for name in names
        )


@dataclasses.dataclass(kw_only=True)
class ReferenceSaliency(ReferenceScore):
    """Synaptic saliency with batch-norm left on, averaged over the outputs of each layer; not its logarithm."""

    def passes(self) -> Sequence[PassSpec]:
        """Return one run of the network of magnitudes."""
        return (
            PassSpec(
                inputs="ones",
                size=self.synaptic_batch_size,
                magnitude=True,
                dtype="float64",
                norm="coupled",
                **self._weights(),
                readout="sum",
                gradients="weights",
                roles=self._counted(),
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return the sum over the counted roles of mean_out sum_in |W * dR/dW|.

        Raises:
            ScoreFailed: no weight has such a role.
        """
        trace = candidate.trace(self.passes()[0])
        total = 0.0
        for view in views_of_roles(candidate, self._counted(), trace.gradients):
            product = view.of(trace.parameters[view.parameter]) * view.of(trace.gradients[view.parameter])
            total += self._count(view) * float(product.abs().flatten(1).sum(1).mean())
        return total

    def _counted(self) -> tuple[str, ...]:
        return tuple(role for role, count in self.counts.items() if count)

    def _count(self, view: WeightView) -> int:
        # The longest role that the view has: a part may be counted otherwise than the rest.
        return self.counts[max(filter(view.has_role, self.counts), key=len)]
