"""The score ``adapters/gain``: how much adapters of these sizes could reduce the loss with a small first step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from denas_core import Candidate, PassSpec, ProxyScore, ScoreFailed, ScoringData, option

from .grad_norm import ROLES
from .kinds import IA3

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Architecture

    from .space import Adapters


@dataclasses.dataclass(kw_only=True)
class Gain(ProxyScore):
    """The energy of the gradient that the adapters can follow, in the weights of the checkpoint; larger is better.

    G is the gradient of the loss by the weight of a projection. An update of rank r and of a given norm reduces the
    loss to first order by at most the norm times the root of the sum of the r largest squared singular values of G. The
    score is the sum of these squares over all projections with an adapter. For ia3, which has one number a feature, it
    is the sum of the squares of the gradient by these numbers.

    Every network begins as the checkpoint, so the gradients are computed only once for all architectures of a search.
    With data (``--data``), the loss is that of their task, with heads as they are drawn for a training; without data,
    the read-out is a random sum of the outputs for noise, which says little.
    """

    batch_size: int = option(32, "Samples of a batch", at_least=2)
    repeats: int = option(4, "Batches, each with another head, whose energies are averaged", at_least=1)

    def measure(self, candidate: Candidate) -> float:
        """Return the score; 0 for a network without adapters.

        Raises:
            ScoreFailed: the space has no checkpoint, or its networks no adapters.
        """
        if not hasattr(candidate.space, "adapters") or not candidate.space.inherits:
            raise ScoreFailed(f"space {candidate.space.id!r} has no checkpoint with adapters")
        space = cast("Adapters", candidate.space)
        chosen = space.adapters(candidate.arch)
        energies = self._energies(space, candidate)
        return sum(float(energies[projection.module][:size].sum()) for projection, size in chosen.items())

    def _energies(self, space: Adapters, candidate: Candidate) -> Mapping[str, Tensor]:
        """Return for each projection the energies of an adapter of size 1, 2, ..., averaged over the repeats."""
        data = candidate.data
        source = None if data is None else (data.task.id, str(data.path))
        key = (candidate.seed, candidate.device, self.batch_size, self.repeats, source)
        known: dict[object, dict[str, Tensor]] = space.__dict__.setdefault("_energies", {})
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
                for name, energy in of_kind(space, candidate, spec):
                    total[name] = total.get(name, 0) + energy / self.repeats
            known[key] = total
        return known[key]


def _of_weights(space: Adapters, candidate: Candidate, spec: PassSpec) -> Iterator[tuple[str, Tensor]]:
    """Yield for each projection the squared singular values of the gradient of its weight."""
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
        yield projection.module, torch.linalg.svdvals(gradient.double()).square().cpu()


def _of_scaling(space: Adapters, candidate: Candidate, spec: PassSpec) -> Iterator[tuple[str, Tensor]]:
    """Yield for each projection the sum of the squares of the gradient by the numbers of its adapter."""
    full = _largest(space)
    whole = Candidate(space, full, seed=candidate.seed, device=candidate.device, data=candidate.data)
    gradients = whole.trace(spec).gradients
    for projection in space.adapters(full):
        gradient = _of_module(gradients, f"{projection.module}.{IA3.parts[0]}")
        yield projection.module, gradient.double().square().sum().reshape(1).cpu()


def _largest(space: Adapters) -> Architecture:
    full = space.full()
    assert full is not None
    return full


def _of_module(gradients: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the gradient of a parameter of the base model, which may be a part of a larger network."""
    return next(found for full, found in gradients.items() if f".{full}".endswith(f".{name}"))
