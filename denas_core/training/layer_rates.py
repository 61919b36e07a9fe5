"""The learning rate of each layer. It is smaller near the input, where what was learned before should be kept."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from denas_core.errors import ConfigError
from denas_core.values.views import WeightView


def layer_groups(
    groups: Sequence[Mapping[str, Any]],
    model: nn.Module,
    views: Sequence[WeightView],
    *,
    lr: float,
    decay: float,
) -> list[dict[str, Any]]:
    """Return the groups of an optimizer, split by layer; the last layer comes first, at the highest rate.

    Layer l of the layers 0 to L learns at lr * decay ** (L - l): discriminative fine-tuning (Howard and Ruder 2018,
    arXiv:1801.06146, section 3.2), as ELECTRA is fine-tuned with (Clark et al. 2020, arXiv:2003.10555, appendix B). A
    schedule scales all groups alike.

    Args:
        groups: Groups with ``params`` and the options that these have in common.
        model: The network that has these parameters.
        views: The places of its weights, see `SearchSpace.views`.
        lr: Highest rate.
        decay: Factor from one layer to the one before it.

    Raises:
        ConfigError: there are no views, so the layers are unknown.
    """
    if not views:
        raise ConfigError(
            f"training.layer_decay={decay:g} needs the layers of the network, but its space does not name them; use "
            "--set training.layer_decay=1"
        )
    layers = parameter_layers(model, views)
    layer_of = {id(parameter): layers[name] for name, parameter in model.named_parameters()}
    last = max(layers.values())
    split = []
    for layer in sorted(set(layers.values()), reverse=True):
        for group in groups:
            params = [parameter for parameter in group["params"] if layer_of[id(parameter)] == layer]
            if params:
                split.append({**group, "params": params, "lr": lr * decay ** (last - layer)})
    return split


def parameter_layers(model: nn.Module, views: Sequence[WeightView]) -> dict[str, int]:
    """Return the layer of each parameter of `model`, by name.

    A parameter with views has their layer; one that several layers share, such as an embedding tied to the head, has
    the first of them. Any other, such as a bias or a norm, follows a neighbour that has: of those with which its name
    has most parts in common from the left, the last one registered before it, or else the first one after it.
    """
    # A view may use any of the names of a tied parameter.
    parameters = dict(model.named_parameters(remove_duplicate=False))
    viewed: dict[int, int] = {}
    for view in views:
        key = id(parameters[view.parameter])
        viewed[key] = min(view.layer, viewed.get(key, view.layer))
    names = [name for name, _ in model.named_parameters()]
    known = {name: viewed[id(parameters[name])] for name in names if id(parameters[name]) in viewed}
    places = {name: place for place, name in enumerate(names)}

    def nearness(name: str, other: str) -> tuple[int, bool, int]:
        ahead = places[other] - places[name]
        return _common_parts(name, other), ahead < 0, -abs(ahead)

    return {
        name: known[name] if name in known else known[max(known, key=lambda other: nearness(name, other))]
        for name in names
    }


def _common_parts(name: str, other: str) -> int:
    pairs = zip(name.split("."), other.split("."), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
