"""Which hidden states of a smaller network should be those of its original network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from denas_core import Counterpart
from denas_core.pretrained import Axis

from .importance.places import blocks_of
from .network import base_of
from .original import Dimensions, Original

if TYPE_CHECKING:
    from .calibrated import Calibrated
    from .start import Start


def counterparts_of(
    model: nn.Module,
    sizes: Dimensions,
    calibrated: Calibrated,
    start: Start,
    teacher_start: Start,
    teacher_sizes: Dimensions,
) -> list[Counterpart]:
    """Return the blocks of a network, each with the last block of its teacher before the next block that is kept.

    Its output is what the next block has as its input in the teacher. If all layers are one module, only the last
    hidden states are compared. There are none if the teacher is not the whole network of the same checkpoint, or if the
    network has stages.

    Args:
        model: The network, with or without a head.
        sizes: Its sizes.
        calibrated: What it inherits.
        start: Its checkpoint.
        teacher_start: The checkpoint of the teacher.
        teacher_sizes: The sizes of the teacher.
    """
    original = start.original
    is_same = start.has_weights and teacher_start.digest() == start.digest()
    if not is_same or teacher_sizes != original.dimensions or sizes.stages:
        return []
    config, inheritance = original.resized(sizes), calibrated.inheritance
    prefix, base = base_of(model)
    choice, features = inheritance.choice(config), inheritance.kept_features(config)
    totals = original.sizes(original.config)
    found = []
    for name, (stack, index) in blocks_of(base, Original(config, original.family)).items():
        kept = choice.kept.get(Axis(stack.name), range(totals[stack.name]))
        following = kept[index + 1] if index + 1 < len(kept) else totals[stack.name]
        last = f"{name.removesuffix(str(index))}{following - 1}"
        found.append(Counterpart(f"{prefix}{name}", f"{prefix}{last}", features))
    whole = prefix.removesuffix(".")
    return found or [Counterpart(whole, whole, features)]
