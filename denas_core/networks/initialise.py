"""Fresh weights for a network that was built as structure only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

DIRECT_PARAMETER_STD = 0.02
"""Spread of parameters that belong to no layer, such as class tokens and positions."""

GAINS = frozenset({"weight", "gain", "scale", "gamma"})
"""Names of vectors that multiply, as those of a norm written by hand do."""


def initialise(model: nn.Module, *, seed: int) -> nn.Module:
    """Move `model` to the CPU and give every layer its own initialisation (`reset_parameters`) under `seed`.

    Parameters of modules without `reset_parameters` are taken for what their shapes and names say: scalars and vectors
    named in `GAINS` are 1, other scalars and vectors, such as biases, 0, and matrices, such as class tokens and
    positions, are drawn from a normal distribution of standard deviation `DIRECT_PARAMETER_STD`. A class token that is
    stored as a vector would be 0: give its module a `reset_parameters`. The global random generator is left as it was.

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
            for own_name, parameter in module.named_parameters(recurse=False):
                if parameter.dim() > 1:
                    parameter.normal_(0.0, DIRECT_PARAMETER_STD)
                else:
                    parameter.fill_(1.0 if own_name in GAINS else 0.0)
            if on_meta and list(module.buffers(recurse=False)):
                raise ValueError(
                    f"module {name!r} has buffers but no reset_parameters(); define it, or the space's load()"
                )
    return model
