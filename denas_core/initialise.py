"""Fresh weights for a network that was built as structure only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

DIRECT_PARAMETER_STD = 0.02
"""Spread of parameters that belong to no layer, such as class tokens and positions."""


def initialise(model: nn.Module, *, seed: int) -> nn.Module:
    """Move `model` to the CPU and give every layer its own initialisation (`reset_parameters`) under `seed`.

    Parameters of modules without `reset_parameters` are drawn from a normal distribution of standard deviation
    `DIRECT_PARAMETER_STD`. The global random generator is left as it was.

    Raises:
        ValueError: the model sits on the meta device and has a buffer whose content nothing can restore.
    """
    import torch

    on_meta = any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        # The CPU's generator alone: torch.manual_seed would move those of the GPUs, which are not restored.
        torch.default_generator.manual_seed(seed)
        model = model.to_empty(device="cpu") if on_meta else model.to("cpu")
        # Layers before the modules that hold them, as constructors do: attention zeroes the bias of its output layer.
        for name, module in reversed(list(model.named_modules())):
            direct = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
            reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if not direct:
                continue
            if reset is not None:
                reset()
                continue
            for parameter in module.parameters(recurse=False):
                parameter.normal_(0.0, DIRECT_PARAMETER_STD)
            if on_meta and list(module.buffers(recurse=False)):
                raise ValueError(
                    f"module {name!r} has buffers but no reset_parameters(); define it, or the space's load()"
                )
    return model
