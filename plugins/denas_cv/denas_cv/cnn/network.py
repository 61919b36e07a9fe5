"""The network of a structure: super-blocks, global average pooling and a head."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from denas_core import initialise

from .blocks import UnitModule
from .units import Unit


class ResidualNetwork(nn.Module):
    """Super-blocks, then the mean of each channel, then a head.

    Args:
        blocks: The units of each super-block.
        head: Module that takes (samples, channels of the last block).
    """

    def __init__(self, blocks: Iterable[Iterable[Unit]], head: nn.Module) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*(nn.Sequential(*map(UnitModule, units)) for units in blocks))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return the head's output for images (samples, channels, height, width)."""
        logits: Tensor = self.head(self.pool(self.trunk(x)))
        return logits


def initialise_network(model: ResidualNetwork, *, seed: int) -> ResidualNetwork:
    """Move `model` to the CPU and give it fresh weights; the global random generator is not changed.

    Convolutions are normal with variance 2 / (outputs x kernel area / groups), He et al. 2015 (arXiv:1502.01852,
    eq. 14), with biases of 0; norms are the identity; the head keeps the initialisation of its own layers.
    """
    generator = torch.Generator().manual_seed(seed)
    model.trunk.to_empty(device="cpu")
    with torch.no_grad():
        for module in model.trunk.modules():
            if isinstance(module, nn.Conv2d):
                outputs = module.out_channels * module.kernel_size[0] * module.kernel_size[1] // module.groups
                module.weight.normal_(0.0, (2.0 / outputs) ** 0.5, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
    initialise(model.head, seed=seed)
    return model
