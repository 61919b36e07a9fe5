"""How much memory scoring one candidate takes, and may take where that can matter at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from denas_core.contracts.score import ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity

MEMORY_SHARE = 0.8
"""Share of the machine's memory that scoring one candidate may take."""


class MemoryNeed(NamedTuple):
    """The memory of scoring one candidate.

    Attributes:
        largest: Bytes that the largest network of the space takes; None if it is unknown.
        limit: Bytes that a candidate may take; None where the largest network fits.
    """

    largest: int | None
    limit: int | None


def memory_limit(
    space: SearchSpace, components: Iterable[ProxyScore], *, on_data: bool = False
) -> int | None:
    """Return the bytes that scoring one candidate may take; None where the largest network of the space fits.

    Raises:
        Infeasible: not even the smallest network can be scored in this machine's memory.
    """
    return memory_need(space, components, on_data=on_data).limit


def memory_need(space: SearchSpace, components: Iterable[ProxyScore], *, on_data: bool = False) -> MemoryNeed:
    """Return what scoring one candidate takes, and may take; `on_data`: on samples of the user's data.

    Raises:
        Infeasible: not even the smallest network can be scored in this machine's memory.
    """
    # Guard single candidates only where the largest of the space would not fit: the estimate costs a pass.
    passes = [spec for score in components for spec in score.passes()]
    available = memory_bytes()
    if not passes or available is None:
        return MemoryNeed(None, None)
    from denas_core.evaluation.memory import scoring_memory_bytes

    limit = int(available * MEMORY_SHARE)
    with plugin_errors(f"space {space.id!r}"):
        smallest, full = space.smallest(), space.full()
        if (
            smallest is not None
            and (needed := scoring_memory_bytes(space, smallest, passes, on_data=on_data)) > limit
        ):
            raise Infeasible(
                f"the smallest architecture of {space.id!r} takes {quantity(needed)}B of memory to score, and "
                f"{quantity(limit)}B are there; lower its options or the score's batch size"
            )
        largest = None if full is None else scoring_memory_bytes(space, full, passes, on_data=on_data)
    return MemoryNeed(largest, None if largest is not None and largest <= limit else limit)
