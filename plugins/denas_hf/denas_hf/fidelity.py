"""The score ``hf/fidelity``: how close a network with inherited weights is to its checkpoint, without labels."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from denas_core import Architecture, Candidate, ProxyScore, SearchSpace, option
from denas_core.errors import ScoreFailed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .resized import ResizedModels

TEMPERATURE = 0.1
"""Divides cosines before the softmax."""


@dataclasses.dataclass(kw_only=True)
class Fidelity(ProxyScore):
    """Minus the Kullback-Leibler divergence of a network's outputs from those of its checkpoint; larger is better.

    Networks of other widths have other outputs, so what is compared is which calibration samples are alike: for each
    sample, the softmax of the cosines of its representation with those of the other samples, divided by 0.1. A
    representation is the mean of the last hidden states. The samples are those of ``space.calibration``.
    """

    samples: int = option(64, "Calibration samples that are compared", at_least=3)
    reconstruct: bool = option(False, "Fit the inherited weights first; takes much longer")

    def memory_bytes(self, space: SearchSpace, arch: Architecture) -> int:
        """Return the size of the network and of its checkpoint."""
        networks = (arch, space.full())
        return sum(4 * int(space.cost(one)["params"]) for one in networks if one is not None)

    def measure(self, candidate: Candidate) -> float:
        """Return the score.

        Raises:
            ScoreFailed: the space has no checkpoint of transformers with weights, or an output is not finite.
        """
        import torch

        if not candidate.space.inherits or not hasattr(candidate.space, "calibrated"):
            raise ScoreFailed(
                f"space {candidate.space.id!r} has no checkpoint to compare with; name it in "
                f"space.{getattr(candidate.space, 'location', 'model')}"
            )
        space = cast("ResizedModels", candidate.space)
        with torch.device("meta"):
            structure = space.build(candidate.arch)
        network = space.load(structure, candidate.arch, seed=candidate.seed, weights="inherited")
        if self.reconstruct:
            space.reconstruct(network, candidate.arch)
        key = f"_alike_{self.samples}"
        if key not in space.__dict__:
            space.__dict__[key] = alike(
                representations(space, space.calibrated.checkpoint.network, self.samples)
            )
        wanted: Tensor = space.__dict__[key]
        found = alike(representations(space, network.eval(), self.samples))
        divergence = float((wanted.exp() * (wanted - found)).sum(1).mean())
        if divergence != divergence:
            raise ScoreFailed("the outputs of the network or of its checkpoint are not finite")
        return -divergence


def alike(features: Tensor) -> Tensor:
    """Return the log of how alike each sample is to each other one, (samples, samples - 1).

    Args:
        features: The representations, (samples, features).
    """
    import torch

    count = len(features)
    features = torch.nn.functional.normalize(features.double(), dim=1)
    cosines = (features @ features.T)[~torch.eye(count, dtype=torch.bool)].reshape(count, count - 1)
    return torch.log_softmax(cosines / TEMPERATURE, dim=1)


def representations(space: ResizedModels, network: nn.Module, samples: int) -> Tensor:
    """Return the mean of the last hidden states of calibration samples, (samples, features)."""
    import torch

    from denas_core import expand_mask

    found: list[Tensor] = []
    for batch in space.calibrated.checkpoint.batches:
        if sum(map(len, found)) >= samples:
            break
        with torch.no_grad():
            outputs = space.forward(network, batch)
        mask, features = outputs.masks.get("features"), outputs.features
        # Convolutions give maps whose channels are first.
        features = features.flatten(2).transpose(1, 2) if features.dim() == 4 else features.flatten(1, -2)
        weights = torch.ones_like(features[..., :1]) if mask is None else expand_mask(mask, features)
        found.append((features * weights).sum(1) / weights.sum(1))
    return torch.cat(found)[:samples]
