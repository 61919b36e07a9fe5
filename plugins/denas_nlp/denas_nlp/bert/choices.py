"""The choices of sizes: the options, or shares of the original network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from denas_hf import Bounds, Dimensions

from .original import BertOriginal

LIMITS = {"layers": 256, "heads": 1024, "hidden": 65_536, "intermediate": 1_048_576}


def derived_choices(full: Dimensions, *, tied: bool) -> dict[str, list[int]]:
    """Return the default choices of each knob of a space whose original network has the sizes `full`.

    For BERT-base these are the bounds and steps of the original DE-NAS: layers 4-12, heads 8-12, hidden 128-768 by 16,
    intermediate 128-3072 by 32. For another network, they are the same shares of its sizes, and the network itself is
    the largest. If the heads divide the hidden width (`tied`), the width has no choices of its own, and heads go from 4
    to 12 instead.
    """
    choices = {
        "layers": _grid(full.layers, least=Fraction(1, 3)),
        "heads": _grid(full.heads, least=Fraction(1, 3) if tied else Fraction(2, 3)),
        "intermediate": _grid(full.intermediate, least=Fraction(1, 24), steps=96),
    }
    return choices if tied else {**choices, "hidden": _grid(full.hidden, least=Fraction(1, 6), steps=48)}


def bounds_of(
    original: BertOriginal, given: Mapping[str, Sequence[int]], *, tied: bool, is_fixed: bool
) -> Bounds:
    """Return the choices of a space.

    Args:
        original: Its original network.
        given: Choices by name; an empty list takes those of `derived_choices`.
        tied: Whether the hidden width is the total width of the heads.
        is_fixed: Whether `original` is a checkpoint, and thus the largest network.

    Raises:
        ValueError: choices are out of order or range.
    """
    full, head_size = original.dimensions, original.head_width
    if tied and given["hidden"]:
        raise ValueError(
            f"hidden {list(given['hidden'])!r} cannot be chosen: it is the total width of the heads; choose heads, or "
            "set tied=false"
        )
    found = derived_choices(full, tied=tied)
    for name in found:
        if given[name]:
            most = getattr(full, name) if is_fixed else LIMITS[name]
            found[name] = _checked(name, given[name], most, is_fixed=is_fixed)
    if tied and is_fixed:
        # If a checkpoint's attention is wider than its hidden width, stock networks cannot use all of its heads.
        fitting = [heads for heads in found["heads"] if heads * head_size <= full.hidden]
        if not fitting or (given["heads"] and fitting != found["heads"]):
            raise ValueError(
                f"heads {found['heads']!r} of {head_size} features do not fit into the {full.hidden} hidden features "
                "of the checkpoint; choose fewer, or set tied=false"
            )
        found["heads"] = fitting
    return Bounds(
        original=original,
        layers=tuple(found["layers"]),
        heads=tuple(found["heads"]),
        hidden=tuple(found.get("hidden", ())),
        intermediate=tuple(found["intermediate"]),
        widest_head=head_size,
    )


def _grid(full: int, *, least: Fraction, steps: int | None = None) -> list[int]:
    step = max(1, full // steps) if steps else 1
    return sorted(size for size in range(full, 0, -step) if size >= least * full)


def _checked(name: str, given: Sequence[int], most: int, *, is_fixed: bool) -> list[int]:
    if list(given) != sorted(set(given)) or given[0] < 1:
        raise ValueError(
            f"{name} {list(given)!r} must be different whole numbers of at least 1, from small to large"
        )
    if given[-1] > most:
        whose = f"the checkpoint has {most}" if is_fixed else f"the most is {most}"
        raise ValueError(f"{name} has {given[-1]}, and {whose}; choose no more")
    return list(given)
