"""Importance by the activations of calibration batches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from denas_core.pretrained import Axis
from denas_hf.watching import mask_of, rows, watched

from . import Checkpoint, Importance
from .places import blocks_of, norms_of, readers_of, zeros


class Activation(Importance):
    """The norm of the activations (Minitron, Muralidharan et al. 2024, arXiv:2407.14679, section 2.2).

    Heads and neurons: sum of squares of what the projection after them reads. Hidden features: sum of the magnitudes of
    the outputs of norms. Layers: block influence, 1 minus the mean cosine of the input and the output of the layer
    (ShortGPT, Men et al. 2024, arXiv:2403.03853, eq. 1).
    """

    def members(self, checkpoint: Checkpoint) -> Mapping[Axis, Tensor]:
        """Return the numbers of heads, neurons, hidden features and layers."""
        network, original = checkpoint.network, checkpoint.original
        readers = readers_of(network, original)
        norms, blocks = norms_of(network, original), blocks_of(network, original)
        sums = zeros(network, original)
        moments = {name: Moments(len(reader.weight)) for name, reader in readers.items()}
        influence: dict[tuple[Axis, int], list[float]] = {}
        for batch in checkpoint.batches:
            with torch.no_grad(), watched(network, {*readers, *norms, *blocks}) as calls:
                mask = mask_of(checkpoint.forward(network, batch))
            for call in calls:
                if call.name in readers:
                    moments[call.name].add(rows(call.input, mask).double())
                elif call.name in blocks:
                    if call.input.shape == call.output.shape:
                        before, after = _vectors(call.input, mask), _vectors(call.output, mask)
                        value = 1 - functional.cosine_similarity(before, after).mean().item()
                        influence.setdefault(blocks[call.name], []).append(value)
                else:
                    sums[Axis("hidden")] += rows(call.output, mask).double().abs().sum(0)
        for name, reader in readers.items():
            sums[reader.axis] += reader.by_member(self.of_inputs(moments[name], reader.weight.double()))
        for (stack, index), values in influence.items():
            size = original.sizes(original.config)[stack.name]
            sums.setdefault(stack, torch.zeros(size, dtype=torch.float64))[index] = sum(values) / len(values)
        return sums

    def of_inputs(self, moments: Moments, weight: Tensor) -> Tensor:
        """Return the importance of each input of a projection with a weight (inputs, outputs)."""
        return moments.squares


class Contribution(Activation):
    """As `Activation`, but heads and neurons count by what they contribute to the outputs of the next projection.

    The importance of an input is its variance times the squared norm of its weights (FLAP, An et al. 2023,
    arXiv:2312.11983, eq. 6). The mean does not count, because a bias can replace it.
    """

    def of_inputs(self, moments: Moments, weight: Tensor) -> Tensor:
        """Return the importance of each input of a projection with a weight (inputs, outputs)."""
        return moments.variances() * weight.square().sum(1)


def _vectors(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """Return the features of positions; of a map, whose channels may be first or last, all values of a sample."""
    return tensor.flatten(1) if tensor.dim() == 4 else rows(tensor, mask)


class Moments:
    """Sums and sums of squares of features over many rows, in float64."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self.sums = torch.zeros(width, dtype=torch.float64)
        self.squares = torch.zeros(width, dtype=torch.float64)

    def add(self, features: Tensor) -> None:
        """Add rows (rows, features)."""
        self.count += len(features)
        self.sums += features.sum(0)
        self.squares += features.square().sum(0)

    def variances(self) -> Tensor:
        """Return the variance of each feature."""
        count = max(self.count, 1)
        return (self.squares / count - (self.sums / count).square()).clamp(min=0)
