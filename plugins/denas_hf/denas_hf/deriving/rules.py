"""The terms of each dimension of each parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .growth import Growth, sizes_by_variation
from .keys import Keys
from .patterns import Patterns
from .tiny import GROUPED, HEADS
from .units import Unit

UNKNOWN = "heads_whole"
"""Axis of heads that are always kept all."""

UNKNOWN_GROUPS = "groups_whole"
"""The same for heads of keys and values."""


class Underivable(Exception):
    """No family can be derived; the text names the tensor at fault and says why."""


def terms_of(
    keys: Keys,
    growth: Growth,
    patterns: Patterns,
    units: Sequence[Unit],
    readers: Mapping[str, int],
    blocks: int,
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the terms of the dimensions by pattern, and the twins of axes.

    Args:
        keys: The keys of the sizes.
        growth: The parameters of tiny networks.
        patterns: Their patterns.
        units: Heads and neurons.
        readers: The dimension of the inputs of weights, by name.
        blocks: Number of equal parts into which a layer divides the hidden width.

    Raises:
        Underivable: a dimension grows with the sizes in a way that is not understood.
    """
    given, twins = _given(patterns, units)
    shapes, widths = growth.shapes[""], sizes_by_variation(keys)
    shares = bool(keys.groups) and getattr(growth.config, keys.groups) == HEADS // GROUPED
    terms: dict[str, list[str]] = {}
    for pattern, names in patterns.names.items():
        terms[pattern] = [
            given.get((pattern, dimension))
            or _of_bias(pattern, names[0], given, readers, patterns)
            or _by_growth(growth, names[0], dimension, widths, blocks, shares)
            for dimension in range(len(shapes[names[0]]))
        ]
    return terms, twins


def _given(patterns: Patterns, units: Sequence[Unit]) -> tuple[dict[tuple[str, int], str], dict[str, str]]:
    """Return the terms that units give; several units of a block have axes of their own."""
    given: dict[tuple[str, int], str] = {}
    twins: dict[str, str] = {}
    taken: set[tuple[str, str]] = set()
    for unit in units:
        name, own = unit.axis, patterns.stack(unit.reader)
        if own and not unit.stack and len(patterns.stacks) > 1:
            name = f"{own}_{unit.axis}"
        if (name, unit.stack) in taken:
            name = f"{name}_{len(twins) + 2}"
        if name != unit.axis:
            twins[name] = unit.axis
        taken.add((name, unit.stack))
        for place, term in unit.terms.items():
            if place in given:
                raise Underivable(
                    f"tensor {patterns.names[place[0]][0]!r} belongs to two attentions or feed-forward layers"
                )
            given[place] = term.format(axis=name)
    return given, twins


def _of_bias(
    pattern: str,
    name: str,
    given: Mapping[tuple[str, int], str],
    readers: Mapping[str, int],
    patterns: Patterns,
) -> str:
    """Return the term of the outputs of the weight beside a bias, which may have no effect, as that of keys."""
    if not name.endswith(".bias"):
        return ""
    weight = f"{name.removesuffix('.bias')}.weight"
    if weight not in readers:
        return ""
    return given.get((patterns.of[weight], 1 - readers[weight]), "")


def _by_growth(
    growth: Growth,
    name: str,
    dimension: int,
    widths: Mapping[str, Mapping[str, int]],
    blocks: int,
    shares: bool,
) -> str:
    if growth.is_constant(name, dimension) or (name, dimension) in growth.by_depth:
        return "_"
    if factor := growth.grows_like(name, dimension, widths["hidden"]):
        return "hidden" if factor == 1 else f"({factor} hidden)"
    parts = {variation: width // blocks for variation, width in widths["hidden"].items()}
    if blocks > 1 and growth.grows_like(name, dimension, parts) == 1:
        return "block"
    # Heads that cannot be left out alone: the check of the family fixes their number.
    heads = {variation: size * widths["head"][variation] for variation, size in widths["heads"].items()}
    if factor := growth.grows_like(name, dimension, heads):
        return f"({UNKNOWN} head)" if factor == 1 else f"({factor} {UNKNOWN} head)"
    groups = {variation: size // GROUPED for variation, size in heads.items()}
    if shares and growth.grows_like(name, dimension, groups) == 1:
        return f"({UNKNOWN_GROUPS} head)"
    if factor := growth.grows_like(name, dimension, widths["heads"]):
        return UNKNOWN if factor == 1 else f"({factor} {UNKNOWN})"
    if factor := growth.grows_like(name, dimension, widths["head"]):
        return "head" if factor == 1 else f"({factor} head)"
    raise Underivable(
        f"dimension {dimension} of tensor {name!r}, of shape {list(growth.shapes[''][name])} in a tiny network, "
        "follows the sizes in a way that is not understood: it is neither hidden features, nor heads or neurons that "
        "can be left out alone"
    )
