"""A search space: its knobs, and the network of each architecture."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from denas_core import Architecture, Batch, Knob, SearchSpace, continuous_batch, option

if TYPE_CHECKING:
    from denas_core import BatchKind, Variant
    from torch import nn


@dataclasses.dataclass(kw_only=True)
class HelloSpace(SearchSpace):
    """Multi-layer perceptrons for tables: an activation, a depth, and a width for each layer."""

    features: int = option(16, "Columns of the table", at_least=1)
    classes: int = option(2, "Number of classes", at_least=2)
    max_depth: int = option(4, "Largest number of hidden layers", at_least=1, at_most=32)

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs. An architecture has the width of a layer only if it has the layer."""
        depths = tuple(range(1, self.max_depth + 1))
        widths = (
            Knob(f"width{layer}", (16, 32, 64, 128), layer=layer, when=("depth", depths[layer - 1 :]))
            for layer in depths
        )
        return (Knob("activation", ("relu", "gelu")), Knob("depth", depths), *widths)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return hidden layers with `head`, or with a linear head if it is None."""
        from torch import nn

        activation = {"relu": nn.ReLU, "gelu": nn.GELU}[str(arch["activation"])]
        layers: list[nn.Module] = []
        width = self.features
        for layer in range(1, int(arch["depth"]) + 1):
            layers += [nn.Linear(width, int(arch[f"width{layer}"])), activation()]
            width = int(arch[f"width{layer}"])
        return nn.Sequential(*layers, nn.Linear(width, self.classes) if head is None else head)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return `size` rows of the table."""
        return continuous_batch((self.features,), size, seed=seed, kind=kind)
