"""Importance by first-order Taylor terms."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from denas_core.pretrained import Axis
from denas_hf.watching import mask_of, rows, watched

from . import Checkpoint, Importance
from .activation import Activation
from .places import norms_of, readers_of, zeros

SEED = 5


class Taylor(Importance):
    """The squared change of the outputs without a member, to first order (Molchanov et al. 2019, arXiv:1906.10771).

    Without labels, the loss is the product of the last hidden states with random signs. The expected square of its
    change is the squared change of the hidden states. The importance of a member is the sum over all positions of the
    square of activation times gradient, summed over the features of the member. Layers count as in `Activation`.
    """

    def members(self, checkpoint: Checkpoint) -> Mapping[Axis, Tensor]:
        """Return the numbers of heads, neurons, hidden features and layers."""
        network, original = checkpoint.network, checkpoint.original
        readers, norms = readers_of(network, original), norms_of(network, original)
        sums = zeros(network, original)
        layers = {
            axis: tensor for axis, tensor in Activation().members(checkpoint).items() if axis not in sums
        }
        for number, batch in enumerate(checkpoint.batches):
            with torch.enable_grad(), watched(network, {*readers, *norms}) as calls:
                outputs = checkpoint.forward(network, batch)
            mask, features = mask_of(outputs), outputs.features
            generator = torch.Generator().manual_seed(SEED + number)
            signs = torch.randint(0, 2, features.shape, generator=generator).to(features.dtype) * 2 - 1
            if mask is not None and mask.shape == features.shape[:2]:
                signs = signs * mask[..., None]
            seen = [call.input if call.name in readers else call.output for call in calls]
            with torch.enable_grad():
                total = (features * signs).sum()
            gradients = torch.autograd.grad(total, seen, allow_unused=True)
            for call, activation, gradient in zip(calls, seen, gradients, strict=True):
                if gradient is None:
                    continue
                terms = rows((activation * gradient).detach().double(), mask)
                reader = readers.get(call.name)
                if reader is None:
                    sums[Axis("hidden")] += terms.square().sum(0)
                    continue
                parts = terms.reshape(len(terms), *reader.factors)
                others = [place + 1 for place in range(len(reader.factors)) if place != reader.place]
                sums[reader.axis] += (parts.sum(others) if others else parts).square().sum(0)
        return {**layers, **sums}
