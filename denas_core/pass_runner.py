"""Running a pass: one forward, and backward where asked, without a trace in global state."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .batch import Batch, Outputs
from .errors import ScoreFailed
from .norms import BatchNorms
from .out_of_memory import is_out_of_memory
from .pass_mode import LayerRecorder, PassMode
from .pass_network import batch_of, readout_of, weights_of
from .passes import PassSpec, Trace

if TYPE_CHECKING:
    from .candidate import Candidate
    from .space import SearchSpace


def run_pass(candidate: Candidate, spec: PassSpec) -> Trace:
    """Run `spec` on `candidate` and return what it left behind.

    Neither the global random generators nor precision, gradient or determinism settings are changed for the caller.

    Raises:
        ScoreFailed: the network ran out of memory, put out NaN or infinity, or cannot be perturbed as asked.
    """
    replay = None
    if spec.perturbation and spec.norm == "batch":
        replay = candidate.trace(dataclasses.replace(spec, perturbation=0.0).forward()).statistics
    try:
        with _own_settings(candidate.device):
            return _Run(candidate, spec, BatchNorms(spec.norm, replay=replay)).trace()
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise ScoreFailed(f"out of memory on {candidate.device} at batch size {spec.size}") from error
        raise


class _Run:
    def __init__(self, candidate: Candidate, spec: PassSpec, norms: BatchNorms) -> None:
        self._candidate = candidate
        self._spec = spec
        self._norms = norms
        self._network = candidate.network(spec)
        self._weights = weights_of(candidate, spec)
        self._trainable = {
            name: self._weights[name]
            for name, parameter in self._network.named_parameters()
            if parameter.requires_grad
        }

    def trace(self) -> Trace:
        spec, recorder = self._spec, None
        if spec.gradients in ("weights", "samples"):
            for tensor in self._trainable.values():
                tensor.requires_grad_()
        if spec.gradients == "layers":
            recorder = LayerRecorder(self._weights, spec.size)
        with torch.set_grad_enabled(spec.gradients != "none"):
            outputs = self._forward(batch_of(self._candidate, spec), recorder)
        _check_finite(outputs)
        trace = Trace(
            spec=spec,
            outputs=_detached(outputs),
            parameters={name: self._weights[name].detach() for name, _ in self._network.named_parameters()},
            statistics=tuple(self._norms.statistics),
        )
        if spec.gradients == "none":
            return trace
        readout = readout_of(self._candidate, spec, outputs)
        if recorder is not None:
            return dataclasses.replace(trace, layers=recorder.differentiate(readout))
        if spec.gradients == "samples":
            return dataclasses.replace(trace, gradients=self._sample_gradients(readout))
        return dataclasses.replace(trace, gradients=self._gradients(readout.sum(), retain_graph=False))

    def _forward(self, batch: Batch, recorder: LayerRecorder | None) -> Outputs:
        weights = {f"network.{name}": tensor for name, tensor in self._weights.items()}
        outputs: Outputs
        # What a network creates while it runs, such as a mask, gets the precision of the pass.
        with _default_dtype(self._spec.dtype), PassMode(self._norms, recorder):
            outputs = functional_call(_Forward(self._candidate.space, self._network), weights, (batch,))
        return outputs

    def _gradients(self, readout: Tensor, *, retain_graph: bool) -> dict[str, Tensor]:
        tensors = list(self._trainable.values())
        if not readout.requires_grad:
            return {name: torch.zeros_like(tensor) for name, tensor in self._trainable.items()}
        gradients = torch.autograd.grad(
            readout, tensors, retain_graph=retain_graph, allow_unused=True, materialize_grads=True
        )
        return dict(zip(self._trainable, gradients, strict=True))

    def _sample_gradients(self, readout: Tensor) -> dict[str, Tensor]:
        rows = [self._gradients(value, retain_graph=True) for value in readout]
        return {name: torch.stack([row[name] for row in rows]) for name in self._trainable}


class _Forward(nn.Module):
    """`SearchSpace.forward` as a module, so that `functional_call` can give the network its weights meanwhile."""

    def __init__(self, space: SearchSpace, network: nn.Module) -> None:
        super().__init__()
        self.space = space
        self.network = network

    def forward(self, batch: Batch) -> Outputs:
        return self.space.forward(self.network, batch)


@contextlib.contextmanager
def _own_settings(device: str) -> Iterator[None]:
    with contextlib.ExitStack() as settings:
        # Forked, so that a network that draws even in eval mode neither sees nor moves the caller's generator.
        settings.enter_context(torch.random.fork_rng(devices=[]))
        torch.default_generator.manual_seed(0)
        settings.enter_context(torch.inference_mode(False))
        settings.enter_context(torch.autocast(device.partition(":")[0], enabled=False))
        if device.startswith("cuda"):
            settings.enter_context(
                torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                )
            )
        # Weights and batches are drawn in float32 for every pass: float64 would draw other numbers.
        settings.enter_context(_default_dtype("float32"))
        yield


@contextlib.contextmanager
def _default_dtype(name: Literal["float32", "float64"]) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if name == "float64" else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _check_finite(outputs: Outputs) -> None:
    for name, tensor in (("features", outputs.features), *outputs.logits.items()):
        if not bool(torch.isfinite(tensor).all()):
            raise ScoreFailed(f"{name} are not finite")


def _detached(outputs: Outputs) -> Outputs:
    logits = {name: tensor.detach() for name, tensor in outputs.logits.items()}
    return dataclasses.replace(outputs, features=outputs.features.detach(), logits=logits)
