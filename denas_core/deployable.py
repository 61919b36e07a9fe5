"""A trained network as plain PyTorch: tensors in, logits out, ready to be traced."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .batch import Batch
from .errors import ConfigError
from .one_line import described

if TYPE_CHECKING:
    from .space import SearchSpace
    from .trained import TrainedModel

TRACED_SIZE = 2
"""Samples of the batch that a network is traced with; a batch of 1 would be taken for a constant."""


class Deployable(nn.Module):
    """A network whose forward takes the inputs of its space's batch, in order, and returns the logits.

    Attributes:
        network: The network itself.
        input_names: Names of the inputs, in order.
    """

    def __init__(self, space: SearchSpace, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.space = space
        self.input_names = tuple(space.batch(1, seed=0).inputs)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the logits, a tuple where there are several; every position of the inputs counts."""
        batch = Batch(inputs=dict(zip(self.input_names, inputs, strict=True)))
        logits = tuple(self.space.forward(self.network, batch).logits.values())
        return logits[0] if len(logits) == 1 else logits

    @functools.cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the logits, in order; the network is run to see them."""
        inputs = self.space.batch(1, seed=0).inputs
        with torch.inference_mode():
            return tuple(self.space.forward(self.network, Batch(inputs=inputs)).logits)

    def named(self, outputs: Any) -> dict[str, Tensor]:
        """Return what `forward` returned, by name."""
        return named_outputs(self.output_names, outputs)


def deployable(model: TrainedModel) -> Deployable:
    """Return the network of `model` as plain PyTorch, in eval mode; its weights are shared, not copied."""
    module = Deployable(model.space, model.network)
    module.training = False
    return module


def named_outputs(names: tuple[str, ...] | list[str], outputs: Any) -> dict[str, Tensor]:
    """Return one tensor or a sequence of tensors by name."""
    tensors = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    return dict(zip(names, tensors, strict=True))


def traced(module: Deployable) -> torch.export.ExportedProgram:
    """Return `module` as a `torch.export` program for batches of any size.

    Raises:
        ConfigError: torch cannot trace it, or only for one batch size; says why.
    """
    inputs = tuple(module.space.batch(TRACED_SIZE, seed=0).inputs.values())
    sizes = {0: torch.export.Dim("batch")}
    try:
        with torch.no_grad():
            return torch.export.export(
                module, inputs, dynamic_shapes=(tuple(sizes for _ in inputs),), strict=False
            )
    except Exception as error:
        raise ConfigError(
            f"torch.export cannot trace this network of {module.space.id!r}: {described(error, 300)}; "
            "export it to safetensors"
        ) from error
