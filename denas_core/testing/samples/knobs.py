"""A search space without networks whose knobs depend on each other, to try strategies and executors on."""

from __future__ import annotations

import dataclasses
from typing import Any

from denas_core.contracts.component import option
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture, Knob

WIDTHS = (8, 16, 32)


@dataclasses.dataclass(kw_only=True)
class Conditional(SearchSpace):
    """Up to `deepest` layers of one width each; a convolution has a kernel, and a large kernel a dilation."""

    deepest: int = option(3, "Layers at most", at_least=1, at_most=16)

    def knobs(self) -> tuple[Knob, ...]:
        """Return the depth, the mixer and what depends on them."""
        depths = tuple(range(1, self.deepest + 1))
        layers = [Knob(f"width{i}", WIDTHS, layer=i - 1, when=("depth", depths[i - 1 :])) for i in depths]
        return (
            Knob("depth", depths),
            Knob("mixer", ("pool", "conv")),
            Knob("kernel", (3, 5, 7), when=("mixer", ("conv",))),
            Knob("dilation", (1, 2), when=("kernel", (5, 7))),
            *layers,
        )

    def cost(self, arch: Architecture) -> dict[str, float]:
        """Return counts that grow with every knob."""
        widths = [int(arch[f"width{i}"]) for i in range(1, int(arch["depth"]) + 1)]
        kernel = int(arch.values.get("kernel", 1)) * int(arch.values.get("dilation", 1))
        return {"params": sum(widths) + kernel, "flops": sum(widths) * kernel}

    def build(self, arch: Architecture, **kwargs: Any) -> Any:
        """Refuse: there is no network."""
        raise NotImplementedError("this space is never built")

    def batch(self, size: int, **kwargs: Any) -> Any:
        """Refuse: there is no network."""
        raise NotImplementedError("this space is never built")


@dataclasses.dataclass(kw_only=True)
class Endless(Conditional):
    """The same space, which does not know its ends."""

    def smallest(self) -> None:
        """Return None: unknown."""
        return

    def full(self) -> None:
        """Return None: unknown."""
        return
