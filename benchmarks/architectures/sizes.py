"""Find the networks of a family whose parameters are near a wanted number."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence

from denas_core import Architecture, SearchSpace


def networks_near(
    space: SearchSpace, network: Callable[[int], Architecture], widths: Sequence[int], params: float
) -> list[Architecture]:
    """Return the widest network with at most `params` parameters and the next wider one, if there are such.

    Args:
        space: The space of the networks.
        network: Returns the network of a width; its parameters grow with the width.
        widths: The widths from small to large.
        params: The wanted number of parameters.
    """
    place = bisect.bisect_right(widths, params, key=lambda width: space.cost(network(width))["params"])
    return [network(width) for width in widths[max(place - 1, 0) : place + 1]]
