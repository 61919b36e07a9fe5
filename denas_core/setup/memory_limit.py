"""How much memory scoring one candidate takes, and may take where that can matter at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from denas_core.contracts.score import ProxyScore
from denas_core.contracts.space import SearchSpace
from denas_core.errors import Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity
from denas_core.values.architecture import Architecture

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
    scores, limit = tuple(components), _limit()
    if limit is None or not _takes_memory(space, scores):
        return MemoryNeed(None, None)
    needed, largest = _of_smallest(space, scores, on_data), None
    if needed > limit:
        raise Infeasible(
            f"the smallest architecture of {space.id!r} takes {quantity(needed)}B of memory to score, and "
            f"{quantity(limit)}B are there; lower its options or the score's batch size"
        )
    full = _ends(space)[1]
    if full is not None:
        largest = _needed(space, full, scores, on_data)
    return MemoryNeed(largest, None if largest is not None and largest <= limit else limit)


def too_large(
    space: SearchSpace, components: Mapping[str, ProxyScore], *, on_data: bool = False
) -> dict[str, str]:
    """Return the components that take more memory for the smallest network than a candidate may take, and why.

    There are none if all of them together fit.
    """
    limit = _limit()
    if limit is None or not _takes_memory(space, components.values()):
        return {}
    if _of_smallest(space, tuple(components.values()), on_data) <= limit:
        return {}
    found = {}
    for name, component in components.items():
        needed = _of_smallest(space, (component,), on_data)
        if needed > limit:
            found[name] = (
                f"the smallest network takes {quantity(needed)}B of memory for it, and {quantity(limit)}B are there"
            )
    return found


def _limit() -> int | None:
    available = memory_bytes()
    return None if available is None else int(available * MEMORY_SHARE)


def _takes_memory(space: SearchSpace, components: Iterable[ProxyScore]) -> bool:
    """Return whether components run networks. Nothing is imported for those that do not."""
    smallest = _ends(space)[0]
    return any(
        score.passes() or (smallest is not None and score.memory_bytes(space, smallest))
        for score in components
    )


def _of_smallest(space: SearchSpace, components: tuple[ProxyScore, ...], on_data: bool) -> int:
    smallest = _ends(space)[0]
    return 0 if smallest is None else _needed(space, smallest, components, on_data)


def _needed(space: SearchSpace, arch: Architecture, components: tuple[ProxyScore, ...], on_data: bool) -> int:
    from denas_core.evaluation.memory import components_memory_bytes

    with plugin_errors(f"space {space.id!r}"):
        return components_memory_bytes(space, arch, components, on_data=on_data)


def _ends(space: SearchSpace) -> tuple[Architecture | None, Architecture | None]:
    with plugin_errors(f"space {space.id!r}"):
        return space.smallest(), space.full()
