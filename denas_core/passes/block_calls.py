"""Records inputs and outputs of the blocks of a network, and gradients of outputs with respect to inputs."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from denas_core.errors import ScoreFailed
from denas_core.values.passes import BlockCall, Trace

from .layers import layer_of
from .recorder import Recorder


class BlockRecorder(Recorder):
    """Records each call of some modules of a network. Its hooks exist only while the network runs."""

    def __init__(
        self,
        network: nn.Module,
        names: Sequence[str],
        samples: int,
        *,
        are_kept: bool,
        cotangent_seed: int | None = None,
    ) -> None:
        """Record the calls of the modules `names` of `network` on a batch of `samples`.

        Args:
            network: The network.
            names: Names of its blocks.
            samples: Number of samples in the batch.
            are_kept: Whether the trace gets the calls, or they are only counted.
            cotangent_seed: Seed of a random vector of signs at the output of each block. The gradient of its product
                with the output is computed with respect to the input of the block. None computes no gradients.

        Raises:
            ScoreFailed: the network has no module of such a name.
        """
        modules = dict(network.named_modules())
        missing = [name for name in names if name not in modules]
        if missing:
            raise ScoreFailed(f"the network has no module {missing[0]!r}")
        self._modules = {name: modules[name] for name in names}
        self._samples = samples
        self._are_kept = are_kept
        self._cotangent_seed = cotangent_seed
        self._calls: list[_Call] = []
        self._channels = -1
        self.keeps_graph = cotangent_seed is not None

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Return a context in which the calls of the blocks are recorded."""
        with contextlib.ExitStack() as handles:
            for name, module in self._modules.items():
                handle = module.register_forward_hook(
                    lambda _, args, kwargs, output, name=name: self._record(name, args, kwargs, output),
                    with_kwargs=True,
                )
                handles.callback(handle.remove)
            yield

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Note the dimension of the channels after the last layer: 1 after a convolution, else the last."""
        if layer := layer_of(func, args, kwargs):
            self._channels = -1 if layer.convolution is None else 1

    def count_ended(self) -> int:
        """Return how many calls of blocks have ended."""
        return len(self._calls)

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the calls of blocks."""
        if not self._are_kept:
            return trace
        generator = None
        if self._cotangent_seed is not None:
            generator = torch.Generator().manual_seed(self._cotangent_seed)
        return dataclasses.replace(trace, blocks=tuple(call.finish(generator) for call in self._calls))

    def _record(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        features_in = next((value for value in (*args, *kwargs.values()) if self._is_features(value)), None)
        features_out = next((value for value in _each(output) if self._is_features(value)), None)
        if features_in is not None and features_out is not None:
            self._calls.append(_Call(name, features_in, features_out, self._channels))

    def _is_features(self, value: Any) -> bool:
        # Masks and lengths are not features.
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
        # An edge stays the same if an activation after the block changes the tensor in place.
        self.start: GradientEdge | None = get_gradient_edge(inputs) if inputs.requires_grad else None
        self.end: GradientEdge | None = get_gradient_edge(outputs) if outputs.requires_grad else None

    def finish(self, generator: torch.Generator | None) -> BlockCall:
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
