"""Architectures that cover a range of sizes and of ranks evenly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def stratified(
    items: Sequence[T], count: int, *, band: Callable[[T], float], rank: Callable[[T], float]
) -> list[T]:
    """Return `count` items: bands of equal numbers by one value, and evenly spaced places by another one within each.

    The same items give the same choice. The first band has the smallest values, and the first place the largest rank.

    Args:
        items: Items to choose from; all of them are returned if there are no more than `count`.
        count: Number of items.
        band: The value that divides the items into bands, such as the number of parameters.
        rank: The value that orders the items of a band, such as a score.
    """
    if count >= len(items):
        return list(items)
    bands = max(1, math.isqrt(count))
    ordered = sorted(items, key=band)
    chosen: list[T] = []
    for index in range(bands):
        members = ordered[len(ordered) * index // bands : len(ordered) * (index + 1) // bands]
        wanted = min(len(members), count * (index + 1) // bands - len(chosen))
        members.sort(key=rank, reverse=True)
        places = [round(place * (len(members) - 1) / max(1, wanted - 1)) for place in range(wanted)]
        chosen += [members[place] for place in places]
    return chosen
