"""The score ``adapters/gain``: how much adapters of these sizes could reduce the loss with a small first step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from denas_core import Candidate, PassSpec, ProxyScore, ScoringData, option

from .grad_norm import ROLES, check_adapters
from .kinds import IA3

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Architecture

    from .space import Adapters


@dataclasses.dataclass(kw_only=True)
class Gain(ProxyScore):
    """The first-order decrease of the loss that adapters of these sizes allow; larger is better.

    G is the gradient of the loss by the weight of a projection. Among all updates of rank r whose singular values are
    at most s, the best one reduces the loss to first order by s times the sum of the r largest singular values of G.
    The score is the sum of these values over all projections with an adapter. The bound s is the same for all
    projections, because Adam makes steps of one size in all weights. For ia3, which has one number a feature, the score
    is the sum of the magnitudes of the gradient by these numbers.

    Every network begins as the checkpoint, so the gradients are computed only once for all architectures of a search.
    With data (``--data``), the loss is that of their task, with heads as they are drawn for a training; without data,
    the read-out is a random sum of the outputs for noise, which says little.
    """

    batch_size: int = option(32, "Samples of a batch", at_least=2)
    repeats: int = option(4, "Batches, each with another head, whose gains are averaged", at_least=1)

    def measure(self, candidate: Candidate) -> float:
        """Return the score; 0 for a network without adapters.

        Raises:
            ScoreFailed: the space has no checkpoint, or its networks no adapters.
        """
        check_adapters(candidate.space)
        space = cast("Adapters", candidate.space)
        chosen = space.adapters(candidate.arch)
        gains = self._gains(space, candidate)
        return sum(float(gains[projection.module][:size].sum()) for projection, size in chosen.items())

    def _gains(self, space: Adapters, candidate: Candidate) -> Mapping[str, Tensor]:
        """Return for each projection what each further rank adds, averaged over the repeats."""
        data = candidate.data
        source = None if data is None else (data.task.id, str(data.path))
        key = (candidate.seed, candidate.device, self.batch_size, self.repeats, source)
        known: dict[object, dict[str, Tensor]] = space.__dict__.setdefault("_gains", {})
        if key not in known:
            total: dict[str, Tensor] = {}
            of_kind = _of_scaling if space.kind == "ia3" else _of_weights
            for repeat in range(self.repeats):
                spec = PassSpec(
                    size=self.batch_size,
                    weights="inherited",
                    norm="coupled",
                    readout="cotangent" if data is None else "cross entropy",
                    gradients="weights",
                    roles=ROLES,
                    repeat=repeat,
                )
                for name, gain in of_kind(space, candidate, spec):
                    total[name] = total.get(name, 0) + gain / self.repeats
            known[key] = total
        return known[key]


def _of_weights(space: Adapters, candidate: Candidate, spec: PassSpec) -> Iterator[tuple[str, Tensor]]:
    """Yield for each projection the singular values of the gradient of its weight, largest first."""
    import torch

    auto, data = space.auto, candidate.data
    if data is not None:
        data = ScoringData(auto, data.task, data.path, facts=data.facts())
    full = auto.full()
    assert full is not None
    plain = Candidate(auto, full, seed=candidate.seed, device=candidate.device, data=data)
    gradients = plain.trace(spec).gradients
    for projection in space.adapters(_largest(space)):
        gradient = _of_module(gradients, f"{projection.module}.weight")
        yield projection.module, torch.linalg.svdvals(gradient.double()).cpu()


def _of_scaling(space: Adapters, candidate: Candidate, spec: PassSpec) -> Iterator[tuple[str, Tensor]]:
    """Yield for each projection the sum of the magnitudes of the gradient by the numbers of its adapter."""
    full = _largest(space)
    whole = Candidate(space, full, seed=candidate.seed, device=candidate.device, data=candidate.data)
    gradients = whole.trace(spec).gradients
    for projection in space.adapters(full):
        gradient = _of_module(gradients, f"{projection.module}.{IA3.parts[0]}")
        yield projection.module, gradient.double().abs().sum().reshape(1).cpu()


def _largest(space: Adapters) -> Architecture:
    full = space.full()
    assert full is not None
    return full


def _of_module(gradients: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the gradient of a parameter of the base model, which may be a part of a larger network."""
    return next(found for full, found in gradients.items() if f".{full}".endswith(f".{name}"))
