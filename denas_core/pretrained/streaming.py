"""Networks whose weights are read while they run, module by module, so that they may be larger than memory."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import torch
from torch import nn

from .stored import Stored, StoredWeights

if TYPE_CHECKING:
    from transformers import PreTrainedModel

EXACT = (torch.bfloat16, torch.float16)
"""Types of 16 bits that may hold every weight of a network exactly."""

_STORED = "_denas_stored"


def stream(network: nn.Module, weights: StoredWeights, held: Iterable[str] = ()) -> nn.Module:
    """Let a network read its weights while it runs, and return it.

    Each module reads its own parameters before it runs, and drops them afterwards.

    Args:
        network: A network of transformers. Its parameters in `weights` are on the meta device, all others, `held` and
            its buffers on the CPU.
        weights: Weights by their names in the network.
        held: Names of parameters on the CPU that stay there, because another module reads them than their own.
    """
    attach = import_module("accelerate.hooks").attach_align_device_hook

    entries: dict[str, Stored] = {}
    known: dict[int, Stored] = {}
    named = list(network.named_parameters(remove_duplicate=False))
    for name, parameter in named:
        if name in weights:
            known[id(parameter)] = weights.entries[name]
    for name, parameter in named:
        entries[name] = known.get(id(parameter)) or Stored.of(parameter.detach())
    stored = StoredWeights(entries)
    in_memory = {name: network.get_parameter(name) for name in held}
    attach(network, execution_device=torch.device("cpu"), offload=True, weights_map=stored)
    for name, parameter in in_memory.items():
        prefix, _, own = name.rpartition(".")
        setattr(network.get_submodule(prefix), own, parameter)
    # transformers looks here for weights that it must read before it writes them.
    network.__dict__.update({"hf_device_map": {"": "cpu"}, _STORED: stored})
    return network


def is_streamed(network: nn.Module) -> bool:
    """Return whether `stream` has made a network read its weights while it runs."""
    return hasattr(network, _STORED)


def stored_weights(network: nn.Module) -> StoredWeights:
    """Return the parameters of a network that reads its weights while it runs, by name."""
    stored: StoredWeights = getattr(network, _STORED)
    return stored


@contextlib.contextmanager
def ready_to_write(network: PreTrainedModel) -> Iterator[None]:
    """Give the parameters of a network the smallest type that holds their values exactly.

    Weights that were taken from a checkpoint in bfloat16 have this type again, and trained ones are float32. Buffers
    stay as they are. Afterwards, the parameters are as before. Values of a streamed network are not looked at: its type
    is that of the checkpoint.
    """
    if is_streamed(network):
        # A module that has run has a parameter of its own, also if it shares that of another module.
        network.tie_weights()
    parameters = [parameter for parameter in network.parameters() if parameter.dtype == torch.float32]
    kept = next(
        (dtype for dtype in EXACT if parameters and _holds(network, parameters, dtype)), torch.float32
    )
    _change(network, torch.float32, kept)
    try:
        is_read_as_stored = kept != torch.float32 and is_streamed(network)
        with _read_as_stored(network) if is_read_as_stored else contextlib.nullcontext():
            yield
    finally:
        # A conversion to float32 gives the same values again.
        _change(network, kept, torch.float32)


@contextlib.contextmanager
def _read_as_stored(network: nn.Module) -> Iterator[None]:
    """Let a streamed network read its weights in the type of the checkpoint."""
    stored = stored_weights(network)
    entries = stored.entries
    stored.entries = {name: dataclasses.replace(entry, as_float=False) for name, entry in entries.items()}
    try:
        yield
    finally:
        stored.entries = entries


def _holds(network: nn.Module, parameters: list[nn.Parameter], dtype: torch.dtype) -> bool:
    if is_streamed(network):
        entries = stored_weights(network).entries.values()
        return all(entry.dtype == dtype for entry in entries if entry.dtype.is_floating_point)
    return all(bool((one.detach() == one.detach().to(dtype)).all()) for one in parameters)


def _change(network: nn.Module, before: torch.dtype, after: torch.dtype) -> None:
    """Give the parameters of one type another type. Names of one parameter stay names of one parameter."""
    changed: dict[nn.Parameter, nn.Parameter] = {}
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if before != after and parameter.dtype == before:
                if parameter not in changed:
                    other = parameter.detach().to(after)
                    changed[parameter] = nn.Parameter(other, requires_grad=parameter.requires_grad)
                setattr(module, name, changed[parameter])
