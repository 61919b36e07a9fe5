"""The members of a search space whose knobs depend on each other, by brute force."""

from __future__ import annotations

import itertools
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.testing.samples.knobs import WIDTHS, Conditional, Endless
from denas_core.values.architecture import Architecture

__all__ = ["WIDTHS", "Conditional", "Endless", "all_members", "is_valid"]


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
