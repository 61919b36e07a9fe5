"""Transformers whose blocks are all alike: DeiT for images, and the middle of a space for speech."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from denas_core import Architecture, Registry, SearchSpace

from .sizes import networks_near

STEP = 4
"""Features between two widths of the finer spaces."""

DEIT_RATIO = 4.0
RATIOS = (2.0, 3.0, 4.0, 5.0)


def vision_transformers(
    space: SearchSpace, params: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield transformers of equal blocks, no deeper and no shallower than the space, with their tier.

    Tiers: 0 for DeiT's proportions in a width that the heads divide, 1 in any width, 2 or more for another MLP ratio.
    """
    options = cast("Any", space)
    size: int = options.head_size or 64
    widths = [
        width
        for width in fine_widths(options.embed_dims, STEP)
        if options.head_size or width % heads_of(width, size) == 0
    ]
    heads = sorted({heads_of(width, size) for width in widths})
    if not options.head_size:
        widths = [width for width in widths if all(width % each == 0 for each in heads)]
    fine = with_options(
        space, embed_dims=widths, heads=heads, mlp_ratios=list(RATIOS), depths=full_range(options.depths)
    )
    for depth, ratio in itertools.product(full_range(options.depths), RATIOS):
        network = functools.partial(deit, fine, depth, ratio, size)
        for arch in networks_near(fine, network, widths, params):
            distance = round(4 * abs(math.log2(ratio / DEIT_RATIO)))
            yield distance + (int(arch["embed_dim"]) % size != 0), fine, arch


def deit(space: SearchSpace, depth: int, ratio: float, head_size: int, width: int) -> Architecture:
    """Return a transformer of equal blocks with as many heads as fit the width."""
    return of_equal_blocks(space, depth, width, mlp_ratio=ratio, heads=heads_of(width, head_size))


def middle_recognisers(
    space: SearchSpace, params: float, flops: float
) -> Iterator[tuple[int, SearchSpace, Architecture]]:
    """Yield recognisers of equal blocks with the middle choices, of any depth and width within the space's.

    Tiers: 0 for the middle MLP ratio, more for others.
    """
    options = cast("Any", space)
    middle = {
        knob: choice(getattr(options, name))
        for knob, name in options.of_a_block.items()
        if knob != "mlp_ratio"
    }
    step = math.lcm(options.decoder_heads, middle["heads"])
    widths, depths = fine_widths(options.embed_dims, step), full_range(options.depths)
    names: Mapping[str, str] = options.of_a_block
    fine = with_options(
        space, embed_dims=widths, depths=depths, **{names[knob]: [value] for knob, value in middle.items()}
    )
    book = choice(options.mlp_ratios)
    for depth, ratio in itertools.product(depths, options.mlp_ratios):
        tier = round(4 * abs(math.log2(ratio / book)))
        network = functools.partial(recogniser, fine, depth, {**middle, "mlp_ratio": ratio})
        for arch in networks_near(fine, network, widths, params):
            yield tier, fine, arch


def recogniser(space: SearchSpace, depth: int, block: Mapping[str, Any], width: int) -> Architecture:
    """Return a recogniser of equal blocks."""
    return of_equal_blocks(space, depth, width, **block)


def with_options(space: SearchSpace, **options: Any) -> SearchSpace:
    """Return the same space with other values of some options."""
    found: SearchSpace = Registry.discover().create("space", space.id, {**space.options(), **options})
    return found


def of_equal_blocks(space: SearchSpace, depth: int, width: int, **block: Any) -> Architecture:
    """Return the network whose blocks all have the same values."""
    values: dict[str, Any] = {"depth": depth, "embed_dim": width}
    for layer in range(1, depth + 1):
        values |= {f"layer{layer}.{name}": value for name, value in block.items()}
    return space.architecture(values)


def heads_of(width: int, size: int) -> int:
    """Return the number of heads of about `size` features for a width."""
    return max(1, round(width / size))


def fine_widths(choices: Sequence[int], step: int) -> list[int]:
    """Return the multiples of `step` within the range of the choices, and the choices that are such."""
    return list(range(-(-choices[0] // step) * step, choices[-1] + 1, step))


def full_range(choices: Sequence[int]) -> list[int]:
    """Return all whole numbers within the range of the choices."""
    return list(range(choices[0], choices[-1] + 1))


def choice(choices: Sequence[Any]) -> Any:
    """Return the middle choice, the larger of two."""
    return choices[len(choices) // 2]
