"""Which hidden states of a smaller network should be those of its original network."""

from __future__ import annotations

from typing import Any

from torch import nn

from denas_core import Counterpart
from denas_core.pretrained import Axis

from .importance.places import blocks_of
from .inheriting import Inheritance
from .network import base_of
from .original import Original


def counterparts_of(
    model: nn.Module, original: Original, inheritance: Inheritance, config: Any
) -> list[Counterpart]:
    """Return the blocks of a network, each with the last block of the original one before the next block that is kept.

    Its output is what the next block has as its input in the original network. If all layers are one module, only the
    last hidden states are compared.

    Args:
        model: The network, with or without a head.
        original: The original network.
        inheritance: What the network inherits of it.
        config: The configuration of the network.
    """
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
