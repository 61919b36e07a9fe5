"""The networks that are measured to calibrate a latency model: they cover the range of latencies of a space."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence

from denas_core.contracts.space import SearchSpace
from denas_core.seeding import derive_rng
from denas_core.values.architecture import Architecture

POOL = 96


def candidates(space: SearchSpace, *, seed: int, count: int = POOL) -> Iterator[Architecture]:
    """Yield distinct architectures: the ends of the space, random ones, and mixtures of random ones with the ends.

    Random architectures alone are nearly all of medium size, and a search with a bound looks for others.
    """
    rng = derive_rng(seed, "latency", "networks")
    ends = [end for end in (space.smallest(), space.full()) if end is not None]
    found = {end.key for end in ends}
    yield from ends
    # A small space has fewer architectures than are wanted.
    for attempt in range(4 * count):
        if len(found) >= count:
            return
        arch = space.sample(rng)
        if ends and attempt % 2:
            arch = _mixed(space, arch, ends[attempt // 2 % len(ends)], rng)
        if arch.key not in found:
            found.add(arch.key)
            yield arch


def _mixed(space: SearchSpace, arch: Architecture, end: Architecture, rng: random.Random) -> Architecture:
    names = list(dict.fromkeys((*arch.values, *end.values)))
    return space.blend(arch, end, rng.sample(names, rng.randint(1, len(names))))


def spread_out(
    pool: Sequence[Architecture], count: int, *, size: Callable[[Architecture], float]
) -> list[Architecture]:
    """Return `count` architectures with sizes at equal ratios, ordered so that every beginning of it covers the range.

    Args:
        pool: Architectures to choose from.
        count: Number of architectures; all are returned if there are no more.
        size: A positive number, such as the sum of the times of the operators.
    """
    waiting = sorted(((math.log(size(arch)), arch.key, arch) for arch in pool), key=lambda item: item[:2])
    low, high = waiting[0][0], waiting[-1][0]
    chosen = []
    for place in _order(min(count, len(waiting))):
        target = low + (high - low) * place
        nearest = min(waiting, key=lambda item: (abs(item[0] - target), item[1]))
        waiting.remove(nearest)
        chosen.append(nearest[2])
    return chosen


def _order(count: int) -> list[float]:
    """Return `count` numbers of [0, 1]: both ends, then always the middle of the widest gap."""
    places = [0.0, 1.0]
    while len(places) < count:
        ordered = sorted(places)
        gap, left = max((b - a, -a) for a, b in itertools.pairwise(ordered))
        places.append(-left + gap / 2)
    return places[:count]
