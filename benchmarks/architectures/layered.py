"""Text encoders as they are shortened by hand: fewer layers, and all other sizes in proportion."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, cast

from denas_core import Architecture, SearchSpace

from .uniform import full_range, with_options

BERT_RATIO = 4.0
STEP = 8


def text_encoders(
    space: SearchSpace, params: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield BERTs of equal layers whose heads share the width, with their tier.

    Layers and widths are within the range of the space's. Tiers: 0 for an MLP ratio of 4, and more for others: for each
    number of layers and width there is one whose ratio gives the wanted FLOPs.
    """
    knobs = {knob.name: cast("tuple[int, ...]", knob.values) for knob in space.knobs()}
    head = cast("Any", space).original.head_width
    widths = knobs.get("hidden", tuple(head * heads for heads in knobs["heads"]))
    heads_of_width = {width: max(1, round(width / head)) for width in widths}
    most = knobs["intermediate"][-1]
    if not space.inherits:
        most = max(most, int(BERT_RATIO * widths[-1]))
    fine = with_options(
        space,
        layers=full_range(knobs["layers"]),
        heads=sorted(set(heads_of_width.values())),
        intermediate=multiples(most),
    )
    for layers, (width, heads) in itertools.product(full_range(knobs["layers"]), heads_of_width.items()):
        values = {"layers": layers, "heads": heads} | ({"hidden": width} if "hidden" in knobs else {})
        yield from of_ratios(fine, values, width, BERT_RATIO, flops)


def first_layers(
    space: SearchSpace, params: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield the first layers of the original network, if need be with fewer heads and neurons, with their tier.

    A search inherits the first layers with ``space.inherit=leading``. Tiers: 0 for the original's MLP ratio, and more
    for others, as in `text_encoders`.

    Raises:
        ValueError: the hidden width is a choice of its own, for which there is no book.
    """
    full = space.full()
    if full is None or "hidden" in full.values:
        raise ValueError(
            f"{space.id!r} has networks whose hidden width is a choice of its own; set head_width=kept"
        )
    sizes = cast("Any", space).dimensions(full)
    heads_choices = next(knob.values for knob in space.knobs() if knob.name == "heads")
    fine = with_options(
        space, layers=list(range(1, sizes.layers + 1)), intermediate=multiples(sizes.intermediate)
    )
    ratio = sizes.intermediate / sizes.hidden
    for layers, heads in itertools.product(
        range(1, sizes.layers + 1), cast("tuple[int, ...]", heads_choices)
    ):
        width = sizes.hidden * heads // sizes.heads
        yield from of_ratios(fine, {"layers": layers, "heads": heads}, width, ratio, flops)


def multiples(most: int) -> list[int]:
    """Return the widths of feed-forward layers up to `most`; in steps, so that lists in the options stay short."""
    return sorted({*range(STEP, most + 1, STEP), most})


def of_ratios(
    space: SearchSpace, values: dict[str, int], width: int, book: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield the network with the book's MLP ratio, and the one whose ratio gives the FLOPs, if there is one."""
    choices = next(
        cast("tuple[int, ...]", knob.values) for knob in space.knobs() if knob.name == "intermediate"
    )

    def network(intermediate: float) -> Architecture:
        nearest = min(choices, key=lambda choice: abs(choice - intermediate))
        return space.architecture({**values, "intermediate": nearest})

    def flops_of(intermediate: int) -> float:
        return space.cost(network(intermediate))["flops"]

    yield 0, space, network(book * width)
    # FLOPs are a straight line over the width of the feed-forward layers.
    low, high = choices[0], choices[-1]
    slope = (flops_of(high) - flops_of(low)) / (high - low)
    wanted = low + (flops - flops_of(low)) / slope
    if low <= wanted <= high:
        tier = 1 + int(4 * abs(math.log2(wanted / width / book)))
        yield tier, space, network(wanted)
