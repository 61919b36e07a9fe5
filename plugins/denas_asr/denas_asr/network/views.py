"""List the weights of a network by role; modules name the roles of their layers in ``roles``."""

from __future__ import annotations

import dataclasses

from denas_core import WeightView, views_by_module

from .recogniser import HeadedEncoder, SpeechEncoder


def views_of(network: SpeechEncoder) -> list[WeightView]:
    """Return the weights of front-end and embeddings (layer 0), of encoder and decoder blocks, and of heads."""
    stacks = [name for name in ("encoder", "decoder") if hasattr(network, name)]
    blocks = [f"{s}.blocks.{index}" for s in stacks for index, _ in enumerate(getattr(network, s).blocks)]
    layers = {name: layer for layer, name in enumerate(blocks, start=1)}
    last = len(blocks) + 1
    views = []
    for name, module in network.named_modules():
        layer = layers.get(".".join(name.split(".")[:3]), 0)
        for child, roles in getattr(module, "roles", {}).items():
            weight = f"{name}.{child}.weight".lstrip(".")
            rows = module.get_parameter(f"{child}.weight").shape[0] // len(roles)
            for index, role in enumerate(roles):
                part = (index * rows, (index + 1) * rows) if len(roles) > 1 else None
                views.append(WeightView(weight, role, last if role == "head" else layer, rows=part))
    views.sort(key=lambda view: view.layer)
    if isinstance(network, HeadedEncoder):
        views += [
            dataclasses.replace(view, parameter=f"head.{view.parameter}", layer=last)
            for view in views_by_module(network.head)
        ]
    return views
