"""Shrink a network of your own: find what can be left out, search, and inherit the weights that stay.

Run it with: python examples/own_module.py [OUT]
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn

import denas_core


class Residual(nn.Module):
    """Two convolutions whose result is added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the input and the body's output."""
        return torch.relu(x + self.body(x))


def main(out: str | None = None, budget: int = 20) -> nn.Module:
    """Search a network with at most half of the parameters, and return it with its part of the weights."""
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.Sequential(*(Residual(32) for _ in range(4))),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)),
    ).eval()
    space = denas_core.space_of(model, torch.zeros(2, 3, 32, 32))
    print(space.summary())
    result = denas_core.search(space, constraints=["params<=0.5x"], budget=budget, device="cpu", out=out)
    arch = result.best.arch
    print(arch.as_dict(), result.best.evaluation.metrics["params"], "parameters")
    return space.load(space.build(arch), arch, seed=0, weights="inherited")


if __name__ == "__main__":
    main(*sys.argv[1:2])
