"""Give networks fresh weights, drawn as in transformers, or weights of a checkpoint."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from denas_core import initialise
from denas_core.errors import PluginError
from denas_core.pretrained import Stored, StoredWeights, silent_transformers, stream

from .network import HeadedNetwork, base_of

HEADS_OF_BASES = ("qa_outputs.",)
"""Prefixes of the head's parameters in classes that are a base model with a head, without a separate base model."""


def load_weights(
    network: nn.Module,
    *,
    seed: int,
    inherited: Mapping[str, Tensor] | None = None,
    fresh: Iterable[str] = (),
    token_head: Mapping[str, Tensor] | None = None,
    streamed: bool = False,
    held: Collection[str] = (),
) -> nn.Module:
    """Move a network to the CPU and give it weights; the global random generator is not changed.

    Args:
        network: A network from `build_network`.
        seed: Seed for fresh weights.
        inherited: Weights of the base model by name; all other weights, such as the head's, are fresh.
        fresh: Names in the base model that may be missing from `inherited`.
        token_head: Weights of the head by name, with which a language model makes scores of tokens.
        streamed: Whether `network` is on the meta device, and reads `inherited` and `token_head` while it runs.
        held: Names of parameters that a streamed network does not read while it runs, but has in memory.

    Raises:
        PluginError: `inherited` lacks any other parameter of the base model.
    """
    is_on_meta = any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers()))
    if not streamed:
        network = network.to_empty(device="cpu") if is_on_meta else network.to("cpu")
    model = network.base if isinstance(network, HeadedNetwork) else network
    if not isinstance(model, PreTrainedModel):
        raise PluginError(
            f"a {type(model).__name__} is not a transformers network; build it with build_network"
        )
    with silent_transformers():
        # to_empty() makes separate tensors for several names of one tensor.
        model.tie_weights()
    own = _named(network, inherited, set(fresh)) | _named_head(network, token_head)
    if streamed:
        _place_others(network, own.keys() - set(held))
    given = [attrgetter(name)(network) for name in own]
    with torch.no_grad():
        for tensor, stored in zip(given, own.values(), strict=True):
            # Weights that are streamed stay on the meta device.
            if not tensor.is_meta:
                tensor.copy_(stored.read())
    if isinstance(network, HeadedNetwork):
        initialise(network.head, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if inherited is None:
            _draw_parametrised(model)
        _draw(model, given)
    if not streamed:
        return network
    in_files = {
        name: own[name] for name, tensor in zip(own, given, strict=True) if tensor.is_meta or name in held
    }
    return stream(network, StoredWeights(in_files), held)


def _draw(model: Any, given: Iterable[Any]) -> None:
    """Draw the weights of a transformers network, except the parameters in `given`."""
    # transformers does not initialise parameters with this mark again.
    for module in model.modules():
        module._is_hf_initialized = False
    for parameter in given:
        parameter._is_hf_initialized = True
    model.initialize_weights()
    for marked in (*model.modules(), *given):
        del marked._is_hf_initialized


def _named(network: nn.Module, inherited: Mapping[str, Tensor] | None, fresh: set[str]) -> dict[str, Stored]:
    """Return `inherited` by names of the network."""
    if inherited is None:
        return {}
    prefix, base = base_of(network)
    entries = StoredWeights.of(inherited).entries
    # The means and variances of batch norms are buffers.
    own = {f"{prefix}{name}": entries[name] for name, _ in base.named_buffers() if name in entries}
    for name, _ in base.named_parameters():
        if name in entries:
            own[f"{prefix}{name}"] = entries[name]
        elif name not in fresh and not name.startswith(HEADS_OF_BASES):
            raise PluginError(f"no weights are inherited for {name!r}; give the family a rule for it")
    return own


def _named_head(network: nn.Module, token_head: Mapping[str, Tensor] | None) -> dict[str, Stored]:
    entries = StoredWeights.of(token_head or {}).entries
    # Some networks keep a bias of the scores in a buffer.
    every = itertools.chain(network.named_parameters(), network.named_buffers())
    return {name: entries[name] for name, _ in every if name in entries}


def _place_others(network: nn.Module, stored: Iterable[str]) -> None:
    """Move buffers, and the parameters that are not stored, from the meta device to the CPU, without values."""
    kept = {id(attrgetter(name)(network)) for name in stored}
    moved: dict[int, nn.Parameter] = {}
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if id(parameter) not in kept:
                if id(parameter) not in moved:
                    moved[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="cpu"))
                setattr(module, name, moved[id(parameter)])
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, torch.empty_like(buffer, device="cpu"))


def _draw_parametrised(model: Any) -> None:
    """Draw, as in torch, the weights of convolutions that are stored as direction and length.

    The values that transformers draws for them are written to a temporary product and lost.
    """
    with torch.no_grad():
        for module in model.modules():
            if parametrize.is_parametrized(module):
                for name in module.parametrizations:
                    drawn = torch.empty_like(getattr(module, name))
                    nn.init.kaiming_uniform_(drawn, a=math.sqrt(5))
                    setattr(module, name, drawn)
