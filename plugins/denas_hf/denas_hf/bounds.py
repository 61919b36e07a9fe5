"""The choices of sizes in a space; the default is from half of the original network's size to all of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from denas_core import Knob, KnobValue

from .original import Dimensions, Original
from .stages import stage_choices, stage_knobs, stages_of

HIDDEN_STEP = 16
INTERMEDIATE_STEPS = 16
"""Number of equal steps into which the original's width is divided."""

NAMES = ("layers", "heads", "hidden", "intermediate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bounds:
    """The choices of a space.

    Attributes:
        original: The original network.
        layers: Choices of the number of layers; empty if a network has stages.
        heads: Choices of the number of heads.
        hidden: Choices of the hidden width; empty if the number of heads determines it.
        intermediate: Choices of the width of feed-forward layers; empty if the hidden width determines it.
        widest_head: Greatest number of features of a head, if the width of a head is not fixed.
        stages: Choices of the number of layers of each stage; empty if a network has no stages.
    """

    original: Original
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    hidden: tuple[int, ...]
    intermediate: tuple[int, ...]
    widest_head: int
    stages: tuple[tuple[int, ...], ...] = ()

    def knobs(self) -> tuple[Knob, ...]:
        """Return a knob for each list of choices that is not empty."""
        named = (Knob(name, getattr(self, name)) for name in NAMES if getattr(self, name))
        return (*stage_knobs(self.stages), *named)

    def least(self) -> dict[str, KnobValue]:
        """Return the values of the network with the fewest parameters and FLOPs."""
        values: dict[str, KnobValue] = {knob.name: knob.values[0] for knob in self.knobs()}
        if "hidden" in values:
            least = int(values["hidden"])
            # The same choice may give a larger hidden width with fewer heads.
            values["heads"] = min(self.heads, key=lambda heads: (self.hidden_of(heads, least), heads))
        return values

    def dimensions(self, values: Mapping[str, KnobValue]) -> Dimensions:
        """Return the sizes for the values of the knobs."""
        if self.stages:
            stages = stages_of(values, len(self.stages))
            return dataclasses.replace(self.original.dimensions, layers=sum(stages), stages=stages)
        layers, heads = int(values["layers"]), int(values["heads"])
        hidden = self.hidden_of(heads, int(values["hidden"])) if self.hidden else self.width_of(heads)
        ratio = self.original.family.ratio
        intermediate = int(values["intermediate"]) if self.intermediate else ratio * hidden
        return Dimensions(layers=layers, heads=heads, hidden=hidden, intermediate=intermediate)

    def width_of(self, heads: int) -> int:
        """Return the hidden width of `heads` heads that are as wide as the original's."""
        return heads * self.original.head_width

    def hidden_of(self, heads: int, wanted: int) -> int:
        """Return the largest width up to `wanted` that `heads` divides, as in the original DE-NAS."""
        if self.original.is_head_free:
            return wanted
        step = math.lcm(heads, self.original.blocks)
        return max(step, min(wanted, heads * self.widest_head) // step * step)

    def least_hidden(self, heads: int, wanted: int) -> int:
        """Return the first choice that gives the same width as `wanted`."""
        width = self.hidden_of(heads, wanted)
        return next(choice for choice in self.hidden if self.hidden_of(heads, choice) == width)


def bounds_of(
    original: Original, given: Mapping[str, Sequence[int]], *, keeps_head_width: bool, widest_head: int
) -> Bounds:
    """Return the `given` choices; other choices go from half of the original's size to all of it.

    Args:
        original: The original network of the space.
        given: Choices by name; an empty list takes the default.
        keeps_head_width: Whether heads are as wide as the original's, so that their number determines the hidden width.
        widest_head: Greatest number of features of a head, if heads may have other widths.

    Raises:
        ValueError: choices are out of order, too large, or impossible.
    """
    full = original.dimensions
    if full.stages:
        return _bounds_of_stages(original, given)
    has_hidden = original.is_head_free or not keeps_head_width
    fixed = set(original.family.fixed) | (set() if original.family.intermediate else {"intermediate"})
    if "hidden" in fixed and not original.is_head_free:
        fixed.add("heads")
    for name in sorted(fixed):
        if list(given[name]) not in ([], [getattr(full, name)]):
            raise ValueError(
                f"{name} {list(given[name])!r} cannot be chosen for {original.family.name}, where it is always "
                f"{getattr(full, name)}"
            )
    if "intermediate" in fixed:
        given = {**given, "intermediate": []}
    if given["hidden"] and not has_hidden:
        raise ValueError(
            f"hidden {list(given['hidden'])!r} cannot be chosen together with heads of {original.head_width} features "
            "each; choose heads, or set head_width=free"
        )
    found = Bounds(
        original=original,
        layers=(full.layers,)
        if "layers" in fixed
        else _chosen("layers", given, _grid(full.layers, 1), full.layers),
        heads=(full.heads,)
        if "heads" in fixed
        else _chosen("heads", given, _grid(full.heads, original.share), full.heads),
        hidden=()
        if not has_hidden
        else (full.hidden,)
        if "hidden" in fixed
        else _chosen("hidden", given, _grid(full.hidden, HIDDEN_STEP), full.hidden),
        intermediate=()
        if "intermediate" in fixed
        else _chosen(
            "intermediate",
            given,
            _grid(full.intermediate, max(1, full.intermediate // INTERMEDIATE_STEPS)),
            full.intermediate,
        ),
        widest_head=widest_head,
    )
    possible = tuple(heads for heads in found.heads if not _why_impossible(found, heads))
    for heads in found.heads if given["heads"] else ():
        if why := _why_impossible(found, heads):
            raise ValueError(
                f"heads has {heads}, which {why}; choose from {', '.join(map(str, possible)) or 'others'}"
            )
    return dataclasses.replace(found, heads=possible)


def _bounds_of_stages(original: Original, given: Mapping[str, Sequence[int]]) -> Bounds:
    for name in NAMES[1:]:
        if given[name]:
            raise ValueError(
                f"{name} {list(given[name])!r} cannot be chosen for {original.family.name}, whose widths stay as they "
                "are; choose layers"
            )
    stages = stage_choices(original.dimensions.stages, given["layers"])
    return Bounds(
        original=original, layers=(), heads=(), hidden=(), intermediate=(), widest_head=1, stages=stages
    )


def _grid(full: int, step: int) -> tuple[int, ...]:
    return tuple(sorted(size for size in range(full, 0, -step) if size >= max(1, full // 2)))


def _chosen(
    name: str, given: Mapping[str, Sequence[int]], derived: tuple[int, ...], full: int
) -> tuple[int, ...]:
    choices = given[name]
    if not choices:
        return derived
    if list(choices) != sorted(set(choices)) or choices[0] < 1 or choices[-1] > full:
        raise ValueError(
            f"{name} {list(choices)!r} must be different numbers from small to large, from 1 to {full} as in the "
            "checkpoint"
        )
    return tuple(choices)


def _why_impossible(bounds: Bounds, heads: int) -> str:
    original = bounds.original
    if heads % original.share:
        return f"is not a multiple of {original.share}, the number of heads that share keys and values"
    if original.is_head_free:
        return ""
    if not bounds.hidden:
        return (
            ""
            if bounds.width_of(heads) % original.blocks == 0
            else f"gives a width that {original.blocks} does not divide"
        )
    least = math.lcm(heads, original.blocks)
    most = min(original.dimensions.hidden, heads * bounds.widest_head)
    return "" if least <= most else f"takes a hidden width of {least} or more, where {most} is the most"
