"""The first layers of the original network, which users keep who shorten it without a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from denas_core import nearest_in_size

if TYPE_CHECKING:
    from denas_core import Architecture, SearchSpace


def first_layers(space: SearchSpace, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
    """Return the shortened original network whose size is nearest to `cost`; None if layers are not chosen."""
    full = space.full()
    layers = next((knob.values for knob in space.knobs() if knob.name == "layers"), ())
    if full is None or not layers:
        return None
    networks = [space.architecture({**full.as_dict(), "layers": count}) for count in layers]
    found = nearest_in_size(space, networks, cost)
    return None if found is None else ("the first layers of the original", found)
