"""Expressivity: how strongly the features answer to a small random change of the input."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import CONTINUOUS_INPUT, PassSpec, ProxyScore, ScoreFailed, expand_mask, option

if TYPE_CHECKING:
    from denas_core import Candidate, Outputs

PERTURBATION = 0.01


def clean_and_perturbed(clean: PassSpec, repeats: int = 1) -> list[PassSpec]:
    """Return a run and the same run on the perturbed batch, for each repeat."""
    return [
        dataclasses.replace(clean, repeat=repeat, perturbation=perturbation)
        for repeat in range(repeats)
        for perturbation in (0.0, PERTURBATION)
    ]


def gaussian_complexity(clean: Outputs, perturbed: Outputs) -> float:
    """Return log mean_b sum |f(x) - f(x + e)| over the features, before pooling, of each sample.

    The Gaussian complexity of Zen-NAS (Lin et al. 2021, arXiv:2102.01063, eq. 2) without its compensation for
    batch-norm. Positions that a mask excludes do not count.

    Raises:
        ScoreFailed: the features do not change at all, or the sum overflows.
    """
    change = (clean.features.double() - perturbed.features.double()).abs()
    mask = clean.masks.get("features")
    if mask is not None:
        change = change * expand_mask(mask, change)
    mean = float(change.flatten(1).sum(1).mean())
    if not 0 < mean < math.inf:
        raise ScoreFailed(f"the features change by {mean!r} under a perturbed input")
    return math.log(mean)


@dataclasses.dataclass(kw_only=True)
class Expressivity(ProxyScore):
    """The Gaussian complexity of the network; see `gaussian_complexity`.

    Batch-norm normalises both inputs with the statistics of the unperturbed batch.
    """

    reads_features: ClassVar[bool] = True

    batch_size: int = option(64, "Samples of the batch", at_least=1)
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def requires(self) -> frozenset[str]:
        """Return the need for an input that noise can be added to."""
        return frozenset({CONTINUOUS_INPUT})

    def passes(self) -> Sequence[PassSpec]:
        """Return the clean and the perturbed forward run."""
        clean = PassSpec(size=self.batch_size, weights=self.weights_from)
        return clean_and_perturbed(clean)

    def measure(self, candidate: Candidate) -> float:
        """Return the log of the mean change, natural units; larger is better.

        Raises:
            ScoreFailed: the space has no continuous input, or the features do not change.
        """
        clean, perturbed = (candidate.trace(spec).outputs for spec in self.passes())
        return gaussian_complexity(clean, perturbed)
