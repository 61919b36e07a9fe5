"""Find the modules that are stored with the adapters: the head, and what the checkpoint lacks."""

from __future__ import annotations

from torch import nn

from .kinds import Kind


def saved_modules(network: nn.Module, kind: Kind) -> list[str]:
    """Return the names of the largest modules of which every parameter is trained, without adapters."""
    trained = {
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and f".{kind.prefix}" not in f".{name}"
    }
    found: list[str] = []
    for name, module in network.named_modules():
        own = [f"{name}.{parameter}" for parameter, _ in module.named_parameters()]
        is_inside = any(name.startswith(f"{outer}.") for outer in found)
        if name and own and trained.issuperset(own) and not is_inside:
            found.append(name)
    return found
