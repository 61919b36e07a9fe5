"""Which weights belong to a head or a neuron, seen in a tiny network.

The outputs of a network are differentiated. If the columns of a projection that read one head are 0, nothing comes out
of this head, so exactly the weights of the head have a gradient of 0. This finds queries, keys, values, biases, gates
and relative positions, in any order in a fused projection, whatever the network computes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

ROUNDING = 1e-11
"""Gradients below this part of the largest are rounding, such as those of the biases of keys, which have no effect."""

Places = Mapping[str, tuple[int, frozenset[int]]]
"""For each parameter with weights of a unit: a dimension, and the indices in it."""


class Probe:
    """A tiny network with weights, whose outputs can be differentiated.

    Args:
        network: The network.
        outputs: Runs it, and returns its outputs.
    """

    def __init__(self, network: nn.Module, outputs: Callable[[], Sequence[Tensor]]) -> None:
        self.network, self.outputs = network, outputs
        self.parameters: dict[str, nn.Parameter] = {
            name: parameter
            for name, parameter in network.named_parameters(remove_duplicate=False)
            if parameter.requires_grad
        }
        gradients = self.gradients()
        least = ROUNDING * max((grad.abs().max().item() for grad in gradients.values()), default=0.0)
        self.seen = {name: grad.abs() > least for name, grad in gradients.items()}

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient of all outputs, each multiplied by fixed random numbers."""
        generator = torch.Generator().manual_seed(1)
        total = torch.zeros((), dtype=torch.float64)
        for output in self.outputs():
            total = (
                total + (output * torch.randn(output.shape, generator=generator, dtype=torch.float64)).sum()
            )
        names = list(self.parameters)
        found = torch.autograd.grad(total, [self.parameters[name] for name in names], allow_unused=True)
        return {name: grad for name, grad in zip(names, found, strict=True) if grad is not None}

    def known(self, name: str, dimension: int) -> frozenset[int]:
        """Return the indices of a dimension of a parameter at which some gradient is not 0."""
        seen = self.seen[name]
        others = [other for other in range(seen.dim()) if other != dimension]
        return frozenset(torch.nonzero(seen.any(others) if others else seen).flatten().tolist())

    def silenced(self, names: Sequence[str], dimension: int, indices: Sequence[int]) -> Places:
        """Return where gradients become 0 if the weights of some parameters at some indices are 0."""
        chosen = torch.tensor(list(indices))
        saved = {name: self.parameters[name].detach().clone() for name in names}
        with torch.no_grad():
            for name in names:
                self.parameters[name].index_fill_(dimension, chosen, 0.0)
        try:
            gradients = self.gradients()
        finally:
            with torch.no_grad():
                for name in names:
                    self.parameters[name].copy_(saved[name])
        found = {
            name: _place(gradient != 0, self.seen[name])
            for name, gradient in gradients.items()
            if name in self.seen and name not in names
        }
        return {name: place for name, place in found.items() if place is not None}


def readers_of(network: nn.Module) -> dict[str, int]:
    """Return the weights of linear layers and convolutions, and the dimension of their inputs."""
    found = {}
    for name, module in network.named_modules():
        if isinstance(module, Conv1D):
            found[f"{name}.weight"] = 0
        elif isinstance(module, nn.Linear) or (
            isinstance(module, (nn.Conv1d, nn.Conv2d)) and module.groups == 1
        ):
            found[f"{name}.weight"] = 1
    return found


def _place(now: Tensor, before: Tensor) -> tuple[int, frozenset[int]] | None:
    """Return the dimension and the indices at which all gradients are 0 that were not; None if there are none."""
    if now.dim() == 0 or not bool((before & ~now).any()):
        return None
    for dimension in range(now.dim()):
        others = [other for other in range(now.dim()) if other != dimension]
        alive, known = (now.any(others), before.any(others)) if others else (now, before)
        dead = frozenset(torch.nonzero(known & ~alive).flatten().tolist())
        if dead and len(dead) < now.shape[dimension]:
            return dimension, dead
    return None
