"""How the dimensions of each parameter grow with the sizes of a network, and which parameters belong to blocks."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from .keys import Keys
from .tiny import HEAD, HEADS, INTERMEDIATE, LAYERS, Sizes, build, tensors_of, tiny_config

_NUMBER = re.compile(r"(?<![^.])[0-9]+(?![^.])")

OTHERS = {
    "heads": Sizes(heads=6),
    "head": Sizes(head=16),
    "hidden": Sizes(hidden=64),
    "intermediate": Sizes(intermediate=72),
}
"""Tiny networks that differ in one size from the first one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Growth:
    """The parameters of tiny networks.

    Attributes:
        config: The configuration of the first network.
        shapes: By variation, the shapes of all parameters by name; the variation of the first network is "".
        stacks: By prefix of the names of its blocks, the key with the number of blocks.
        by_depth: Names and dimensions whose length depends on the number of layers.
    """

    config: Any
    shapes: Mapping[str, Mapping[str, tuple[int, ...]]]
    stacks: Mapping[str, str]
    by_depth: frozenset[tuple[str, int]]

    def length(self, variation: str, name: str, dimension: int) -> int:
        """Return the length of a dimension."""
        return self.shapes[variation][name][dimension]

    def grows_like(self, name: str, dimension: int, sizes: Mapping[str, int]) -> int:
        """Return the factor by which a dimension is a multiple of a size in all networks; 0 if it is none.

        `sizes` are those of the size by variation.
        """
        factors = set()
        for variation, size in sizes.items():
            factor, rest = divmod(self.length(variation, name, dimension), size)
            if rest:
                return 0
            factors.add(factor)
        return factors.pop() if len(factors) == 1 else 0

    def is_constant(self, name: str, dimension: int) -> bool:
        """Return whether a dimension has the same length in all networks."""
        return len({self.length(variation, name, dimension) for variation in self.shapes}) == 1


def measure(config: Any, keys: Keys, *, attention: str) -> Growth:
    """Return the parameters of tiny networks of a configuration.

    Raises:
        Exception: a network cannot be built.
    """
    first = tiny_config(config, keys, Sizes())
    shapes = {"": _shapes(first, attention)}
    for variation, sizes in OTHERS.items():
        if variation == "hidden" and not keys.head_width:
            continue
        if variation == "intermediate" and not keys.intermediate:
            continue
        shapes[variation] = _shapes(tiny_config(config, keys, sizes), attention)
    stacks: dict[str, str] = {}
    by_depth: set[tuple[str, int]] = set()
    for key in keys.layers:
        deeper = _shapes(tiny_config(config, keys, Sizes(layers={key: LAYERS + 1})), attention)
        for name in deeper.keys() - shapes[""].keys():
            number = next(m for m in _NUMBER.finditer(name) if int(m[0]) == LAYERS)
            stacks.setdefault(name[: number.start()], key)
        by_depth |= {
            (name, dimension)
            for name, shape in shapes[""].items()
            for dimension, length in enumerate(shape)
            if name in deeper and deeper[name][dimension] != length
        }
    ordered = dict(sorted(stacks.items(), key=lambda item: keys.layers.index(item[1])))
    return Growth(first, shapes, ordered, frozenset(by_depth))


def sizes_by_variation(keys: Keys) -> dict[str, dict[str, int]]:
    """Return the values of each size by variation."""
    found: dict[str, dict[str, int]] = {"heads": {}, "head": {}, "hidden": {}, "intermediate": {}}
    for variation in ("", *OTHERS):
        sizes = OTHERS.get(variation, Sizes())
        found["heads"][variation] = sizes.heads
        found["head"][variation] = sizes.head
        found["hidden"][variation] = sizes.hidden if keys.head_width else sizes.heads * sizes.head
        found["intermediate"][variation] = sizes.intermediate
    if not keys.head_width:
        found = {name: {v: s for v, s in sizes.items() if v != "hidden"} for name, sizes in found.items()}
    if not keys.intermediate:
        found = {
            name: {v: s for v, s in sizes.items() if v != "intermediate"} for name, sizes in found.items()
        }
    return found


def _shapes(config: Any, attention: str) -> dict[str, tuple[int, ...]]:
    network = build(config, attention=attention, device="meta")
    return {name: tuple(tensor.shape) for name, tensor in tensors_of(network).items()}


__all__ = ["HEAD", "HEADS", "INTERMEDIATE", "LAYERS", "Growth", "measure", "sizes_by_variation"]
