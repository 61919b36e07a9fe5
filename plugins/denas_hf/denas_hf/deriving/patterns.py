"""Names of parameters in which the number of a block is replaced by the name of its stack."""

from __future__ import annotations

import re

from .growth import Growth
from .tiny import LAYERS


class Patterns:
    """The patterns of the parameters of a tiny network.

    Attributes:
        names: The names by pattern.
        of: The pattern by name.
    """

    def __init__(self, growth: Growth) -> None:
        shapes = growth.shapes[""]
        self.stacks = _stack_names(list(growth.stacks))
        self.names: dict[str, list[str]] = {}
        self.of: dict[str, str] = {}
        for name in shapes:
            pattern = name
            for prefix, stack in self.stacks.items():
                number, _, rest = name.removeprefix(prefix).partition(".")
                # A parameter of the first block alone, such as relative positions, serves all blocks.
                if (
                    name.startswith(prefix)
                    and number.isdecimal()
                    and f"{prefix}{LAYERS - 1}.{rest}" in shapes
                ):
                    pattern = f"{prefix}{{{stack}}}.{rest}"
            self.of[name] = pattern
            self.names.setdefault(pattern, []).append(name)

    def stack(self, pattern: str) -> str:
        """Return the stack of a pattern; empty if it has none."""
        found = re.search(r"\{(\w+)\}", pattern)
        return found[1] if found else ""


def _stack_names(prefixes: list[str]) -> dict[str, str]:
    if len(prefixes) == 1:
        return {prefixes[0]: "layer"}
    names: dict[str, str] = {}
    for index, prefix in enumerate(prefixes):
        first = prefix.split(".")[0]
        names[prefix] = first if first.isidentifier() and first not in names.values() else f"layer{index}"
    return names
