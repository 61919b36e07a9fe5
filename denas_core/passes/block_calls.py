"""What goes into the blocks of a network and comes out, and gradients from the one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from denas_core.errors import ScoreFailed
from denas_core.values.passes import BlockCall

from .layers import layer_of


class BlockRecorder:
    """Records each call of some modules of a network, by hooks that are there inside ``with`` alone."""

    def __init__(self, network: nn.Module, names: Sequence[str], samples: int) -> None:
        """Record calls of the modules `names` of `network` on a batch of `samples`.

        Raises:
            ScoreFailed: the network has no module of such a name.
        """
        modules = dict(network.named_modules())
        missing = [name for name in names if name not in modules]
        if missing:
            raise ScoreFailed(f"the network has no module {missing[0]!r}")
        self._modules = {name: modules[name] for name in names}
        self._samples = samples
        self._handles: list[Any] = []
        self._calls: list[_Call] = []
        self._channels = -1

    def __enter__(self) -> None:
        for name, module in self._modules.items():
            self._handles.append(
                module.register_forward_hook(
                    lambda _, args, kwargs, output, name=name: self._record(name, args, kwargs, output),
                    with_kwargs=True,
                )
            )

    def __exit__(self, *exception: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do nothing: the kind of a layer is known by the call itself."""

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Take the dimension of the channels from the layer that ran last: 1 behind a convolution, else the last."""
        if layer := layer_of(func, args, kwargs):
            self._channels = -1 if layer.convolution is None else 1

    def ended(self) -> int:
        """Return how many calls of blocks have ended."""
        return len(self._calls)

    def calls(self, cotangents: torch.Generator | None) -> tuple[BlockCall, ...]:
        """Return the recorded calls.

        Args:
            cotangents: Draws a Rademacher vector at the output of each block, whose gradient by the input of the block
                is taken; None for no gradients.
        """
        return tuple(call.finished(cotangents) for call in self._calls)

    def _record(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        went_in = next((value for value in (*args, *kwargs.values()) if self._is_batch(value)), None)
        came_out = next((value for value in _each(output) if self._is_batch(value)), None)
        if went_in is not None and came_out is not None:
            self._calls.append(_Call(name, went_in, came_out, self._channels))

    def _is_batch(self, value: Any) -> bool:
        # Features, and neither masks nor lengths.
        return (
            isinstance(value, Tensor)
            and value.is_floating_point()
            and value.dim() > 1
            and len(value) == self._samples
        )


class _Call:
    def __init__(self, name: str, inputs: Tensor, outputs: Tensor, channels: int) -> None:
        self.name = name
        self.channels = channels
        self.is_identity = inputs is outputs
        self.inputs = inputs.detach()
        self.outputs = outputs.detach()
        # Edges and not tensors: an activation in place behind the block would change what a tensor stands for.
        self.start: GradientEdge | None = get_gradient_edge(inputs) if inputs.requires_grad else None
        self.end: GradientEdge | None = get_gradient_edge(outputs) if outputs.requires_grad else None

    def finished(self, generator: torch.Generator | None) -> BlockCall:
        if generator is None:
            return BlockCall(name=self.name, inputs=self.inputs, outputs=self.outputs, channels=self.channels)
        cotangent = torch.randint(0, 2, self.outputs.shape, generator=generator).to(self.outputs) * 2 - 1
        gradient: Tensor | None = None
        if self.is_identity:
            gradient = cotangent
        elif self.start is not None and self.end is not None:
            (gradient,) = torch.autograd.grad(
                [self.end],
                [self.start],
                grad_outputs=[cotangent],
                retain_graph=True,
                allow_unused=True,
            )
        return BlockCall(
            name=self.name,
            inputs=self.inputs,
            outputs=self.outputs,
            channels=self.channels,
            cotangent=cotangent,
            input_gradient=torch.zeros_like(self.inputs) if gradient is None else gradient,
        )


def _each(output: Any) -> Sequence[Any]:
    if isinstance(output, (tuple, list)):
        return output
    return list(output.values()) if isinstance(output, dict) else (output,)
