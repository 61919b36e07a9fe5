"""The floor of the default DE-Score: the bare runs of a network that its components look at, without looking.

It is one forward run of a batch of noise in float32 with statistics of the batch, one backward run to the inputs (to
the embeddings, where no input is continuous) with frozen weights, for trainability one more backward run through each
block from its output to its input, and for saliency one forward and backward run of the constant batch in float64 by
all matrices and kernels. Nothing is built, initialised, drawn, recorded or converted in it, and no kernel, covariance
or eigenvalue is computed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from denas_core import FEED_FORWARD, Batch, SearchSpace

ROLES = (*FEED_FORWARD, "attention")


def time_noise(space: SearchSpace, network: nn.Module, batch: Batch, *, through_blocks: bool) -> float:
    """Return the CPU-seconds of the run on noise, in the layout of memory that takes less.

    Args:
        space: The space of the network.
        network: The network, its weights frozen.
        batch: The batch of noise.
        through_blocks: Whether a gradient is followed through each block too.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    layouts = (torch.contiguous_format, torch.channels_last)
    has_images = any(tensor.dim() == 4 for tensor in batch.inputs.values())
    return min(
        _time_noise(space, network.to(memory_format=layout), batch, layout, through_blocks=through_blocks)
        for layout in layouts[: 1 + has_images]
    )


def _time_noise(
    space: SearchSpace, network: nn.Module, batch: Batch, layout: torch.memory_format, *, through_blocks: bool
) -> float:
    inputs = {
        name: (tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor)
        .detach()
        .requires_grad_(name in batch.perturbable)
        for name, tensor in batch.inputs.items()
    }
    batch = dataclasses.replace(batch, inputs=inputs)
    sources: list[Any] = [inputs[name] for name in batch.perturbable]
    ends: list[tuple[GradientEdge, GradientEdge, torch.Size]] = []
    blocks = space.block_names(network) if through_blocks else ()
    signs: list[Tensor] = []
    with _watched(network, blocks, sources, ends, is_embedded=not sources):
        # The random signs are drawn outside of what is timed, so the shapes of the outputs have to be known first.
        with torch.no_grad():
            space.forward(network, batch)
        ends.clear()
        del sources[len(batch.perturbable) :]
        start = time.process_time()
        outputs = space.forward(network, batch)
        readout = sum((tensor.sum() for tensor in outputs.logits.values()), torch.zeros(()))
        torch.autograd.grad(readout, sources, retain_graph=bool(ends), allow_unused=True)
        seconds = time.process_time() - start
        signs = [torch.randint(0, 2, shape).float() * 2 - 1 for *_, shape in ends]
        start = time.process_time()
        for (begin, end, _), sign in zip(ends, signs, strict=True):
            torch.autograd.grad([end], [begin], grad_outputs=[sign], retain_graph=True, allow_unused=True)
    return seconds + time.process_time() - start


@contextlib.contextmanager
def _watched(
    network: nn.Module,
    blocks: Any,
    sources: list[Any],
    ends: list[tuple[GradientEdge, GradientEdge, torch.Size]],
    *,
    is_embedded: bool,
) -> Iterator[None]:
    def ended(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        went_in = next(value for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        came_out = output if isinstance(output, Tensor) else output[0]
        if went_in is not came_out and went_in.requires_grad and came_out.requires_grad:
            ends.append((get_gradient_edge(went_in), get_gradient_edge(came_out), came_out.shape))

    def embedded(_: nn.Module, args: Any, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        sources.append(leaf)
        return leaf

    modules = dict(network.named_modules())
    handles = [modules[name].register_forward_hook(ended, with_kwargs=True) for name in blocks]
    embeddings = [module for module in modules.values() if isinstance(module, nn.Embedding) and is_embedded]
    handles += [module.register_forward_hook(embedded) for module in embeddings]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
