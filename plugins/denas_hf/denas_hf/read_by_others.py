"""Find parameters that a module does not read itself: it is never called, and another module reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from denas_core import SearchSpace


def read_by_others(space: SearchSpace, network: nn.Module) -> list[str]:
    """Return the names of the parameters of modules that do not run when a network runs.

    The encoder of DeBERTa takes the table of relative positions, and attention of torch the weights of its output
    projection, from a module that is never called. A network that is streamed reads weights when their module is
    called, so it must have these in memory; they are few.

    Args:
        space: The space, which runs the network.
        network: The network, on the meta device.
    """
    called: set[nn.Module] = set()
    handles = [
        module.register_forward_pre_hook(lambda module, _: called.add(module)) for module in network.modules()
    ]
    is_training = network.training
    try:
        with torch.device("meta"), torch.no_grad():
            space.forward(network.eval(), space.batch(1, seed=0, kind="cost"))
    finally:
        network.train(is_training)
        for handle in handles:
            handle.remove()
    # A parameter may belong to several modules, such as the table of tokens of both stacks.
    own = {parameter for module in called for parameter in module.parameters(recurse=False)}
    return [
        f"{prefix}.{name}" if prefix else name
        for prefix, module in network.named_modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter not in own
    ]
