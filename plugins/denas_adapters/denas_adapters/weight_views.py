"""List the weights of a network with adapters by role: those of the checkpoint, of the adapters and of the head."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from torch import nn

from denas_core import WeightView

from .adapting import without_adapters
from .kinds import Kind

if TYPE_CHECKING:
    from denas_hf import Auto


def views_of(auto: Auto, network: nn.Module, kind: Kind) -> list[WeightView]:
    """Return the weights of a network. The parts of an adapter have the role of their projection."""
    with without_adapters(network) as layers:
        plain = auto.views(network)
    trainable = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    views, seen = [], set()
    for view in plain:
        module = view.parameter.removesuffix(".weight")
        name = f"{module}.base_layer.weight" if module in layers else view.parameter
        views.append(dataclasses.replace(view, parameter=name, trainable=trainable[name]))
        # A fused projection has several views, but one adapter.
        if module in layers and module not in seen:
            seen.add(module)
            views += [WeightView(f"{module}.{part}", view.kind, view.layer) for part in kind.parts]
    return views
