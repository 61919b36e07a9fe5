"""Running a network so that a trace follows it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .trace import Call, Trace
from .units import Units


def run_traced(
    model: nn.Module,
    call: Callable[[nn.Module], Any],
    inputs: Any,
    units: Units,
    members: Mapping[str, list[Tensor]] | None = None,
    *,
    twin: nn.Module | None = None,
) -> Trace:
    """Run `model`, in eval mode, and return what was recorded.

    Args:
        model: The network, on the CPU.
        call: Function that calls the network.
        inputs: Its inputs.
        units: Where the units are kept.
        members: The members of each dimension of each weight; by default new ones.
        twin: A copy of the network that runs in training mode as well, and is changed by that.

    Raises:
        ConfigError: the network decides by values of its inputs.
    """
    trace = Trace(units)
    trace.follow(model, members)
    trace.mark_inputs(inputs)
    handles = [
        module.register_forward_hook(_watch(trace, name))
        for name, module in model.named_modules()
        if name and name.rpartition(".")[2].isdecimal()
    ]
    fast = torch.backends.mha.get_fastpath_enabled()
    # Fused forms of attention and of recurrent layers hide what meets inside.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), _plain_kernels(), trace:
            trace.lock_outputs(call(model))
            if twin is not None:
                trace.follow(twin, trace.members)
                with torch.random.fork_rng(devices=[]):
                    trace.lock_outputs(call(twin.train()))
        trace.lock_unused()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()
    return trace


@contextlib.contextmanager
def _plain_kernels() -> Iterator[None]:
    """Let recurrent layers run as the operations that they consist of."""
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)


def _watch(trace: Trace, name: str) -> Callable[..., None]:
    def watch(module: nn.Module, inputs: Any, output: Any) -> None:
        if len(inputs) != 1 or not isinstance(inputs[0], Tensor) or not isinstance(output, Tensor):
            return
        if inputs[0].shape == output.shape:
            is_sequence = type(module) is nn.Sequential
            trace.calls.append(Call(name, is_sequence, trace.slots_of(inputs[0]), trace.slots_of(output)))

    return watch
