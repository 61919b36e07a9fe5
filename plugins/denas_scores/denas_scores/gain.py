"""The gain: how much larger a small relative change of the input has become in the features."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import CONTINUOUS_INPUT, PassSpec, ProxyScore, ScoreFailed, expand_mask, option

from .expressivity import PERTURBATION, clean_and_perturbed

if TYPE_CHECKING:
    from denas_core import Candidate, Outputs


def relative_gain(clean: Outputs, perturbed: Outputs) -> float:
    """Return the mean over samples of |f(x + 0.01 e) - f(x)| / |f(x) - mean f| / 0.01, with Euclidean norms.

    f gives the features before pooling, and their mean is the mean over the samples, separately for each position and
    channel. Positions that a mask excludes do not count.

    Raises:
        ScoreFailed: the features do not change, are the same for all samples, or overflow.
    """
    features = clean.features.double()
    mask = clean.masks.get("features")
    counted = features.new_ones(()) if mask is None else expand_mask(mask, features)
    weights = counted.expand_as(features)
    mean = (features * weights).sum(0) / weights.sum(0).clamp(min=1)
    change = ((perturbed.features.double() - features) * weights).flatten(1).norm(dim=1)
    spread = ((features - mean) * weights).flatten(1).norm(dim=1)
    gain = float((change / spread).mean()) / PERTURBATION
    if not 0 < gain < math.inf:
        raise ScoreFailed(f"the features have a gain of {gain!r}; they are the same for some or all inputs")
    return gain


@dataclasses.dataclass(kw_only=True)
class Gain(ProxyScore):
    """The log of the gain: the relative change of the features for a change of the input by 1 %, divided by 1 %.

    A linear network has a gain of about 1. Above, small differences between inputs grow from layer to layer, as in the
    chaotic phase of Schoenholz et al. 2017 (arXiv:1611.01232); the norm of the Jacobian of Novak et al. 2018
    (arXiv:1802.08760) is the limit of small changes, without the division by the size of features and inputs. Batch
    norms use the statistics of the unchanged batch for both inputs. Whether more gain is better depends on the space
    and on the training: among the networks of NAS-Bench-201 it is, in `cv/cnn` it was not.
    """

    reads_features: ClassVar[bool] = True

    batch_size: int = option(32, "Samples of the batch of noise", at_least=2)
    repeats: int = option(1, "Runs on other weights and another batch, whose values are averaged", at_least=1)
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def requires(self) -> frozenset[str]:
        """Return the need for an input that noise can be added to."""
        return frozenset({CONTINUOUS_INPUT})

    def passes(self) -> Sequence[PassSpec]:
        """Return the clean and the perturbed run of each repeat."""
        clean = PassSpec(size=self.batch_size, weights=self.weights_from)
        return clean_and_perturbed(clean, self.repeats)

    def measure(self, candidate: Candidate) -> float:
        """Return the log of the gain, natural units; 0 for a gain of 1.

        Raises:
            ScoreFailed: the space has no continuous input, or the features do not change or do not differ.
        """
        outputs = [candidate.trace(spec).outputs for spec in self.passes()]
        pairs = zip(outputs[::2], outputs[1::2], strict=True)
        return sum(math.log(relative_gain(clean, perturbed)) for clean, perturbed in pairs) / self.repeats
