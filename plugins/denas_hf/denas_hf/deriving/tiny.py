"""Tiny networks that are built like a given one."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoModel
from transformers.initialization import no_init_weights

from denas_core.pretrained import silent_transformers

from .keys import Keys

HEADS, HEAD, FREE_HIDDEN, INTERMEDIATE, LAYERS = 4, 8, 40, 56, 2
GROUPED = 2
"""Number of heads that share keys and values, if several do."""

PIXELS, WINDOW = 4, 2
"""Side of the images of a network with stages, before they are halved by each stage, and of its windows."""

_SHORTER = {
    "max_source_positions": 24,
    "rotary_dim": 4,
    "max_length": 64,
    "num_detection_tokens": 3,
}
"""Sizes that no parameter of a layer has, and that make tiny networks slow."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of a tiny network; `hidden` is only used if heads have a width of their own."""

    heads: int = HEADS
    head: int = HEAD
    hidden: int = FREE_HIDDEN
    intermediate: int = INTERMEDIATE
    layers: Mapping[str, int] = dataclasses.field(default_factory=dict)


def tiny_config(config: Any, keys: Keys, sizes: Sizes) -> Any:
    """Return `config` with other sizes; everything else that says how the network is built stays the same."""
    tiny = copy.deepcopy(config)
    hidden = sizes.hidden if keys.head_width else sizes.heads * sizes.head
    for key in keys.layers:
        setattr(tiny, key, sizes.layers.get(key, LAYERS))
    for key in keys.lists:
        entries = list(getattr(config, key))
        setattr(tiny, key, (entries * 2)[: sizes.layers.get(keys.layers[0], LAYERS)])
    for key in keys.heads:
        setattr(tiny, key, sizes.heads)
    if keys.groups:
        setattr(tiny, keys.groups, groups_of(config, keys, sizes.heads))
    for key in (keys.hidden, *keys.follows):
        setattr(tiny, key, hidden)
    if keys.head_width:
        setattr(tiny, keys.head_width, sizes.head)
    for key in keys.intermediate:
        setattr(tiny, key, sizes.intermediate)
    for key, most in _SHORTER.items():
        value = getattr(tiny, key, None)
        if isinstance(value, int) and value > most and key in vars(tiny):
            setattr(tiny, key, most)
    shrink_inputs(tiny)
    return tiny


def groups_of(config: Any, keys: Keys, heads: int) -> int:
    """Return the number of heads for keys and values in a tiny network with so many heads."""
    full, groups = getattr(config, keys.heads[0]), getattr(config, keys.groups)
    if groups is None or groups == full:
        return heads
    return 1 if groups == 1 else heads // GROUPED


def build(config: Any, *, attention: str, device: str) -> nn.Module:
    """Return the base model without values, in float64 on the CPU or on the meta device."""
    config = copy.deepcopy(config)
    with silent_transformers(), no_init_weights(), torch.random.fork_rng(devices=[]), torch.device(device):
        # The other implementation of experts does not compute in float64.
        experts = {"experts_implementation": "eager"} if "num_local_experts" in vars(config) else {}
        network = AutoModel.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation=attention, dtype=torch.float64, **experts
        )
        # Without initial values, transformers does not tie weights either.
        network.tie_weights()
    return cast("nn.Module", network.eval())


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and persistent buffers by name, all names of those that are tied."""
    return dict(network.state_dict(keep_vars=True))


def draw(network: nn.Module, *, seed: int) -> None:
    """Draw all weights. They are so large that no unit hides behind rounding, and norms stay near 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            if parameter.dim() > 1:
                fan = max(1, parameter[0].numel())
                parameter.copy_(noise * (1.0 if _is_table(network, name) else fan**-0.5))
            else:
                is_scale = name.endswith("weight") or "lambda" in name or "scale" in name
                parameter.copy_(0.2 * noise + (1.0 if is_scale else 0.0))


def shrink_inputs(config: Any, *, stages: int = 0) -> None:
    """Make the inputs of a configuration small; each stage may halve the sides of an image."""
    values = vars(config)
    vocabulary, padding = values.get("vocab_size"), values.get("pad_token_id")
    if isinstance(vocabulary, int):
        config.vocab_size = min(vocabulary, max(64, (padding or 0) + 2))
    if isinstance(values.get("attention_window"), int):
        config.attention_window = min(values["attention_window"], 4)
    if isinstance(values.get("conv_dim"), (list, tuple)):
        config.conv_dim = [min(width, 16) for width in values["conv_dim"]]
    patch, side = values.get("patch_size"), values.get("image_size")
    if stages:
        config.image_size = PIXELS * 2**stages
        if isinstance(values.get("window_size"), int):
            config.window_size = WINDOW
    elif isinstance(patch, int) and isinstance(side, int):
        config.image_size = min(side, 3 * patch)
    elif isinstance(patch, int) and isinstance(side, (list, tuple)):
        config.image_size = [min(part, patch * (index + 2)) for index, part in enumerate(side)]


def _is_table(network: nn.Module, name: str) -> bool:
    return isinstance(network.get_submodule(name.rpartition(".")[0]), nn.Embedding)
