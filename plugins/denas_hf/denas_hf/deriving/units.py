"""The weights that belong to each head and to each neuron, as `silence` finds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .growth import Growth, sizes_by_variation
from .keys import Keys
from .patterns import Patterns
from .silence import Probe, readers_of
from .tiny import HEAD, HEADS, INTERMEDIATE, groups_of


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """The weights of the heads of one attention, or of the neurons of one feed-forward layer.

    Attributes:
        axis: ``heads``, ``groups`` or ``ffn``.
        reader: Pattern of the projection that reads them.
        stack: Its stack; empty if all blocks have the same units.
        terms: The term of a dimension, by pattern of names and dimension, with ``{axis}`` for the axis.
    """

    axis: str
    reader: str
    stack: str
    terms: Mapping[tuple[str, int], str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Members:
    """How the members of an axis lie in the dimension that reads them: so many, each so wide."""

    axis: str
    count: int
    width: int


def find_units(config: Any, keys: Keys, growth: Growth, patterns: Patterns, probe: Probe) -> list[Unit]:
    """Return the units of all blocks."""
    groups = groups_of(config, keys, HEADS) if keys.groups else HEADS
    share = HEADS // groups if groups > 1 else 1
    units: list[Unit] = []
    readers = {patterns.of[name]: at for name, at in readers_of(probe.network).items() if name in patterns.of}
    for pattern, dimension in readers.items():
        names = [name for name in patterns.names[pattern] if name in probe.seen]
        members = _members(keys, growth, names[0], dimension, share) if names else None
        if members is None:
            continue
        places = probe.silenced(names, dimension, range(members.width, 2 * members.width))
        by_pattern = _by_pattern(places, patterns)
        # A norm before the only projection that reads it also has a gradient of 0: that is no unit.
        if any(len(growth.shapes[""][patterns.names[found][0]]) > 1 for found in by_pattern):
            units.append(_unit(members, pattern, dimension, share, by_pattern, growth, patterns, probe))
    return units


def _members(keys: Keys, growth: Growth, name: str, dimension: int, share: int) -> _Members | None:
    widths = sizes_by_variation(keys)
    heads = {v: size * widths["head"][v] for v, size in widths["heads"].items()}
    if growth.grows_like(name, dimension, heads) == 1:
        return _Members("groups" if share > 1 else "heads", HEADS // share, HEAD * share)
    if keys.intermediate and growth.grows_like(name, dimension, widths["intermediate"]) == 1:
        return _Members("ffn", INTERMEDIATE, 1)
    if not keys.intermediate and growth.grows_like(name, dimension, widths["hidden"]) > 1:
        return _Members("ffn", growth.length("", name, dimension), 1)
    return None


def _by_pattern(
    places: Mapping[str, tuple[int, frozenset[int]]], patterns: Patterns
) -> dict[str, tuple[int, frozenset[int]]]:
    """Return the places that are the same in all blocks; others are accidents, such as an idle neuron."""
    found: dict[str, tuple[int, frozenset[int]]] = {}
    for pattern, names in patterns.names.items():
        own = {places.get(name) for name in names}
        place = own.pop()
        if place is not None and not own:
            found[pattern] = place
    return found


def _unit(
    members: _Members,
    reader: str,
    dimension: int,
    share: int,
    places: Mapping[str, tuple[int, frozenset[int]]],
    growth: Growth,
    patterns: Patterns,
    probe: Probe,
) -> Unit:
    axis, count, width = members.axis, members.count, members.width
    stack = patterns.stack(reader)
    terms: dict[tuple[str, int], tuple[int, int]] = {(reader, dimension): (1, width)}
    for pattern, (at, indices) in places.items():
        length = growth.shapes[""][patterns.names[pattern][0]][at]
        inner = min(indices)
        outer, rest = divmod(length, max(1, count * inner))
        expected = {o * count * inner + inner + i for o in range(outer) for i in range(inner)}
        known = probe.known(patterns.names[pattern][0], at)
        if not rest and outer and indices <= expected and not (expected - indices) & known:
            terms[pattern, at] = (outer, inner)
    if any(patterns.stack(pattern) != stack for pattern, _ in terms):
        stack = ""
    name = f"{{axis}}[{stack}]" if stack else "{axis}"
    return Unit(axis, reader, stack, {place: _term(name, *how, axis, share) for place, how in terms.items()})


def _term(name: str, outer: int, inner: int, axis: str, share: int) -> str:
    """Return the term of a dimension in which each member has `inner` neighbours, `outer` times."""
    factors = [str(outer)] if outer > 1 else []
    factors.append(name)
    if axis == "groups" and inner in (share, share * HEAD):
        factors.append("share")
        inner //= share
    if axis != "ffn" and inner % HEAD == 0:
        factors += [str(inner // HEAD)] if inner > HEAD else []
        factors.append("head")
    elif inner > 1:
        factors.append(str(inner))
    return factors[0] if len(factors) == 1 else f"({' '.join(factors)})"
