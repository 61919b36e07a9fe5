"""New weights for a network that was built without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

DIRECT_PARAMETER_STD = 0.02
"""Standard deviation of parameters outside of layers, such as class tokens and positions."""

GAINS = frozenset({"weight", "gain", "scale", "gamma"})
"""Names of vectors that multiply features, for example in a normalisation layer that was written by hand."""


def initialise(model: nn.Module, *, seed: int) -> nn.Module:
    """Move `model` to the CPU and initialise every layer by its own `reset_parameters`, with `seed`.

    If a module has no `reset_parameters`, the shapes and names of its parameters decide. Scalars and vectors whose
    names are in `GAINS` become 1. Other scalars and vectors, such as biases, become 0. Matrices, such as class tokens
    and positions, are drawn from a normal distribution with standard deviation `DIRECT_PARAMETER_STD`. A class token
    that is stored as a vector would become 0; its module therefore needs a `reset_parameters`. The global random
    generator does not change.

    Raises:
        ValueError: the model is on the meta device, and the content of one of its buffers cannot be restored.
    """
    import torch

    on_meta = any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        # Only the generator of the CPU: torch.manual_seed would also seed those of the GPUs, which are not restored.
        torch.default_generator.manual_seed(seed)
        model = model.to_empty(device="cpu") if on_meta else model.to("cpu")
        # Inner modules come first, as in constructors: attention sets the bias of its output layer to zero.
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
                    f"module {name!r} has buffers but no reset_parameters(); define it, or define load() of the space"
                )
    return model
