"""Networks with the weights of a tiny checkpoint, and these weights changed in ways whose effect is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from denas_core.pretrained.inheritance import Choice, choose, take
from denas_core.pretrained.layout import Axis
from denas_hf.space import Auto
from denas_hf.weights import load_weights


def source_of(space: Auto) -> Mapping[str, Tensor]:
    return space.start.pretrained.weights()


def sizes_of(space: Auto) -> dict[str, int]:
    original = space.start.original
    return original.sizes(original.config)


def features_of(space: Auto, network: nn.Module) -> Tensor:
    with torch.no_grad():
        outputs = space.forward(network.eval(), space.batch(2, seed=0))
    return torch.stack(list(outputs.logits.values()))


def network_of(space: Auto, values: Mapping[str, Any], weights: Mapping[str, Tensor]) -> nn.Module:
    with torch.device("meta"):
        network = space.build(space.architecture({**space.full().as_dict(), **values}))
    return load_weights(network, seed=0, inherited=weights)


def inheriting_network(space: Auto, values: Mapping[str, Any], *, seed: int = 0) -> nn.Module:
    arch = space.architecture({**space.full().as_dict(), **values})
    with torch.device("meta"):
        network = space.build(arch)
    return space.load(network, arch, seed=seed, weights="inherited")


def full_features(space: Auto) -> Tensor:
    return features_of(space, inheriting_network(space, {}))


def reordered(space: Auto, wanted: Callable[[Axis], bool]) -> dict[str, Tensor]:
    """Return the weights of a checkpoint with the members of some axes in another order."""
    layout, sizes, source = space.start.original.layout, sizes_of(space), source_of(space)
    generator = torch.Generator().manual_seed(0)
    kept = {
        axis: tuple(torch.randperm(len(members), generator=generator).tolist()) if wanted(axis) else members
        for axis, members in choose(layout, source, source_sizes=sizes, target_sizes=sizes).kept.items()
    }
    return take(layout, source, Choice(kept), sizes=sizes)


def silenced(
    space: Auto, wanted: Mapping[str, int], axes: tuple[str, ...], *, kind: str, by: Any
) -> dict[str, Tensor]:
    """Return the weights of a checkpoint in which nothing comes out of the members that a smaller network lacks."""
    original, sizes, source = space.start.original, sizes_of(space), source_of(space)
    targets = {**sizes, **{axis: wanted[axis] for axis in axes if axis in original.layout.axes}}
    choice = choose(original.layout, source, source_sizes=sizes, target_sizes=targets, by=by)
    masked = dict(source)
    for name, tensor in source.items():
        if original.kinds.get(original.layout.pattern_of(name) or "") != (kind,):
            continue
        placed = original.layout.place(name, tensor.shape, sizes)
        parts = tensor.reshape(placed.shape).clone()
        for dimension, axis in enumerate(placed.axes):
            if axis is not None and axis.name in axes:
                lost = sorted(set(range(placed.shape[dimension])) - set(choice.kept[axis]))
                assert lost
                parts.index_fill_(dimension, torch.tensor(lost), 0.0)
        masked[name] = parts.reshape(tensor.shape)
    return masked
