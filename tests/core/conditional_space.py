"""A search space without torch whose knobs depend on each other, and its members by brute force."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from denas_core.architecture import Architecture, Knob
from denas_core.space import SearchSpace

WIDTHS = (8, 16, 32)


@dataclasses.dataclass(kw_only=True)
class Conditional(SearchSpace):
    """Up to `deepest` layers of one width each; a convolution has a kernel, and a large kernel a dilation."""

    deepest: int = 3

    def knobs(self) -> tuple[Knob, ...]:
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
        raise NotImplementedError("this space is never built")

    def batch(self, size: int, **kwargs: Any) -> Any:
        raise NotImplementedError("this space is never built")


@dataclasses.dataclass(kw_only=True)
class Endless(Conditional):
    """The same space, which does not know its ends."""

    def smallest(self) -> None:
        return None

    def full(self) -> None:
        return None


def is_valid(values: dict[str, Any]) -> bool:
    """Tell, without the code under test, whether `values` holds the knobs that matter and no others."""
    wanted = {"depth", "mixer", *(f"width{i}" for i in range(1, values["depth"] + 1))}
    if values["mixer"] == "conv":
        wanted.add("kernel")
        if values["kernel"] > 3:
            wanted.add("dilation")
    return set(values) == wanted


def all_members(space: SearchSpace) -> dict[str, Architecture]:
    """Return every architecture of a small space by its key, found by trying every combination of values."""
    knobs = space.knobs()
    members: dict[str, Architecture] = {}
    for combination in itertools.product(*(knob.values for knob in knobs)):
        values = dict(zip((knob.name for knob in knobs), combination, strict=True))
        arch = space.unchecked(space.canonical(values))
        members[arch.key] = arch
    return members
