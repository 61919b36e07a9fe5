"""Spaces of adapters over tiny checkpoints, and trained networks of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from denas_adapters.space import Adapters
from denas_core import Architecture, PositionHead, TrainedModel
from tests.hf.tiny_models import SECONDS, TOKENS, checkpoint


def space_of(name: str = "bert", **options: Any) -> Adapters:
    """Return a space over a tiny checkpoint, with short samples."""
    options = {"seq_len": TOKENS, "seconds": SECONDS, "ranks": [0, 1, 2, 4], **options}
    return Adapters(model=str(checkpoint(name)), **options).named("adapters/hf")


def mixed(space: Adapters) -> Architecture:
    """Return the architecture whose knobs have all of their values in turn."""
    return space.architecture(
        {knob.name: knob.values[i % len(knob.values)] for i, knob in enumerate(space.knobs())}
    )


def headed(space: Adapters, arch: Architecture, *, outputs: int = 2, by_position: bool = False) -> nn.Module:
    """Return the network of `arch` with the weights of the checkpoint, under a fresh head."""
    full = space.auto.full()
    assert full is not None
    width = space.auto.dimensions(full).hidden
    with torch.device("meta"):
        head = (PositionHead if by_position else nn.Linear)(width, outputs)
        network = space.build(arch, head=head)
    return space.load(network, arch, seed=0, weights="inherited").eval()


def trained(space: Adapters, arch: Architecture, **options: Any) -> TrainedModel:
    """Return a network whose adapters and head have other values than at the beginning, as after a training."""
    network = headed(space, arch, **options)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return TrainedModel(space=space, arch=arch, network=network, history={"data": str(Path.home() / "texts")})
