"""The familiar network of a space that is as large as another one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from denas_core.values.architecture import Architecture

if TYPE_CHECKING:
    from .space import SearchSpace

EQUAL = 0.15
"""The largest relative difference of the parameters of two networks of about equal size."""


def nearest_in_size(
    space: SearchSpace, networks: Iterable[Architecture], cost: Mapping[str, float]
) -> Architecture | None:
    """Return the network that is nearest in parameters and FLOPs, for `SearchSpace.familiar`.

    Args:
        space: The space of the networks.
        networks: The networks to choose from.
        cost: ``params`` and ``flops`` of the network that it is compared with.

    Returns:
        The network, or None if no network has about as many parameters (15 % more or fewer).
    """
    found: list[tuple[float, str, Architecture]] = []
    for arch in networks:
        own = space.cost(arch)
        size, work = (abs(math.log(own[name] / cost[name])) for name in ("params", "flops"))
        if size <= math.log1p(EQUAL):
            found.append((size + work, arch.key, arch))
    return min(found)[2] if found else None
