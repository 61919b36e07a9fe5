"""Put adapters into a network of transformers, take them out for a while, and give them their first values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from denas_core import derive_seed, silent_libraries
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from .kinds import Kind
    from .projections import Projection


def adapt(
    network: nn.Module, kind: Kind, chosen: Mapping[Projection, int], *, fresh: Iterable[str] = ()
) -> nn.Module:
    """Put adapters into `network`, freeze all other weights of the checkpoint, and return the network.

    Args:
        network: A network of transformers.
        kind: The kind of the adapters.
        chosen: The size of the adapter of each projection that has one.
        fresh: Parameters of the base model that the checkpoint lacks. They are trained like the head.

    Raises:
        ConfigError: peft is not installed.
    """
    prefix, base = base_of(network)
    trained = _trained_names(network, prefix, set(fresh))
    network.requires_grad_(False)
    if chosen:
        inject = _peft().inject_adapter_in_model
        with silent_libraries("peft"), torch.random.fork_rng(devices=[]):
            inject(kind.config(chosen), base)
    for name, parameter in network.named_parameters():
        if name in trained or f".{kind.prefix}" in f".{name}":
            parameter.requires_grad_(True)
    return network


def base_of(network: nn.Module) -> tuple[str, nn.Module]:
    """Return the beginning of the names of the base model's parameters in `network`, and the base model."""
    base: Any = network.base_model
    name = next(name for name, module in network.named_modules() if module is base)
    return f"{name}." if name else "", base


def adapted_layers(network: nn.Module) -> dict[str, Any]:
    """Return the layers of peft in `network` by name."""
    kind = _peft().tuners.tuners_utils.BaseTunerLayer
    return {name: module for name, module in network.named_modules() if isinstance(module, kind)}


@contextlib.contextmanager
def without_adapters(network: nn.Module) -> Iterator[dict[str, Any]]:
    """Take the adapters out of `network` in this context. Yield the layers of peft by name."""
    layers = adapted_layers(network)
    for name, layer in layers.items():
        network.set_submodule(name, layer.base_layer)
    try:
        yield layers
    finally:
        for name, layer in layers.items():
            network.set_submodule(name, layer)


def begin_adapters(network: nn.Module, kind: Kind, *, seed: int) -> None:
    """Move all adapters to the CPU and give them the values with which a training begins."""
    for name, layer in adapted_layers(network).items():
        for child_name, child in layer.named_children():
            if child_name != "base_layer":
                child.to_empty(device="cpu")
        generator = torch.Generator().manual_seed(derive_seed(seed, "adapter", name))
        with torch.no_grad():
            kind.begin(layer, generator)


def _trained_names(network: nn.Module, prefix: str, fresh: set[str]) -> set[str]:
    """Return the parameters of the head, and those that the checkpoint lacks.

    The head of a language model belongs to the checkpoint.
    """
    outputs = getattr(network, "get_output_embeddings", lambda: None)()
    kept = set() if outputs is None else {id(parameter) for parameter in outputs.parameters()}
    names = set()
    for name, parameter in network.named_parameters():
        in_base = name.startswith(prefix)
        if id(parameter) not in kept and (name.removeprefix(prefix) in fresh if in_base else True):
            names.add(name)
    return names


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ConfigError("adapters need peft, which is not installed: pip install denas-adapters") from error
    return peft
