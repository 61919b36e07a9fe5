"""Runs a pass: one forward run, and a backward run if the pass needs one. Global state stays as it was."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from denas_core.errors import ScoreFailed
from denas_core.system.memory import is_out_of_memory
from denas_core.values.batch import Batch, Outputs
from denas_core.values.passes import PassSpec, Trace

from .inputs import Subject, parts_of, readout_of
from .mode import PassMode
from .norms import BatchNorms
from .recorder import Recorder
from .recorders import make_recorders


def run_pass(subject: Subject, spec: PassSpec) -> Trace:
    """Run the pass `spec` on `subject` and return its trace.

    Global random generators, and the settings of torch for precision, gradients and determinism, stay unchanged.

    Raises:
        ScoreFailed: memory ran out, an output is NaN or infinite, or the inputs cannot be perturbed.
    """
    try:
        with _own_settings(subject.device):
            return _Run(subject, spec).trace()
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise ScoreFailed(f"out of memory on {subject.device} at batch size {spec.size}") from error
        raise


class _Run:
    def __init__(self, subject: Subject, spec: PassSpec) -> None:
        self._subject = subject
        self._spec = spec
        self._network = subject.network()
        self._weights = subject.weights()
        views = subject.views() if spec.roles else []
        named = {view.parameter for view in views if any(map(view.has_role, spec.roles))}
        self._trainable = {
            name: self._weights[name]
            for name, parameter in self._network.named_parameters()
            if parameter.requires_grad and (not spec.roles or name in named)
        }

    def trace(self) -> Trace:
        batch = self._subject.batch()
        if self._spec.gradients in ("weights", "factors") and not self._spec.observe:
            parts = parts_of(batch, self._spec.size)
            # A batch norm needs the whole batch. Only a run of a part shows whether the network has one.
            trace = self._trace_of(parts) if len(parts) > 1 else None
            if trace is not None:
                return trace
        trace = self._trace_of([batch])
        assert trace is not None
        return trace

    def _trace_of(self, parts: Sequence[Batch]) -> Trace | None:
        """Return the trace of a batch that runs in parts, or None if its samples depend on each other."""
        spec, seed = self._spec, self._subject.seed
        norms = BatchNorms(spec.norm, replay=self._subject.statistics)
        recorders = make_recorders(
            spec, self._network, self._weights, self._trainable, blocks=self._subject.blocks, seed=seed
        )
        seen: list[Outputs] = []
        first = 0
        for part in parts:
            outputs = self._forward(part, norms, recorders)
            if len(parts) > 1 and norms.calls and norms.policy != "bypass":
                return None
            seen.append(_detached(outputs))
            if spec.gradients != "none":
                readout = readout_of(outputs, spec, seed=seed, first=first, losses=self._subject.losses)
                first += len(readout)
                _differentiate(readout, recorders)
                del readout
            # The graph of a part must go before the graph of the next part is made.
            del outputs
        trace = Trace(
            spec=spec,
            outputs=_joined(seen),
            parameters={name: self._weights[name].detach() for name, _ in self._network.named_parameters()},
            statistics=tuple(norms.statistics),
        )
        for recorder in recorders:
            trace = recorder.finish(trace)
        return trace

    def _forward(self, batch: Batch, norms: BatchNorms, recorders: Sequence[Recorder]) -> Outputs:
        weights = {f"network.{name}": tensor for name, tensor in self._weights.items()}
        outputs: Outputs
        with contextlib.ExitStack() as contexts:
            for recorder in recorders:
                batch = recorder.change_batch(batch)
                contexts.enter_context(recorder.hooks())
            contexts.enter_context(torch.set_grad_enabled(self._spec.needs_graph))
            # A network may create tensors while it runs, such as a mask. They get the precision of the pass.
            contexts.enter_context(_default_dtype(self._spec.dtype))
            if any(recorder.is_differentiable for recorder in recorders):
                # No other implementation of attention can be differentiated twice.
                contexts.enter_context(sdpa_kernel(SDPBackend.MATH))
            contexts.enter_context(PassMode(norms, recorders))
            outputs = functional_call(_Forward(self._subject.forward, self._network), weights, (batch,))
        _check_finite(outputs)
        return outputs


def _differentiate(readout: Tensor, recorders: Sequence[Recorder]) -> None:
    """Differentiate the sum of `readout` for all recorders in one backward run."""
    sources = [list(recorder.sources()) for recorder in recorders]
    everything: list[Any] = [source for some in sources for source in some]
    gradients: Sequence[Tensor | None] = [None] * len(everything)
    if everything and readout.requires_grad:
        gradients = torch.autograd.grad(
            readout.sum(),
            everything,
            retain_graph=any(recorder.keeps_graph for recorder in recorders),
            create_graph=any(recorder.is_differentiable for recorder in recorders),
            allow_unused=True,
        )
    start = 0
    for recorder, some in zip(recorders, sources, strict=True):
        recorder.take_gradients(readout, gradients[start : start + len(some)])
        start += len(some)


class _Forward(nn.Module):
    """Runs a subject as a module, because `functional_call` gives weights to a module only."""

    def __init__(self, run: Callable[[nn.Module, Batch], Outputs], network: nn.Module) -> None:
        super().__init__()
        self.run = run
        self.network = network

    def forward(self, batch: Batch) -> Outputs:
        return self.run(self.network, batch)


@contextlib.contextmanager
def _own_settings(device: str) -> Iterator[None]:
    with contextlib.ExitStack() as settings:
        # A network that draws numbers in eval mode neither sees nor changes the generator of the caller.
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
        # Weights and batches of every pass are drawn in float32, because float64 would give other numbers.
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


def _joined(parts: Sequence[Outputs]) -> Outputs:
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return Outputs(
        features=torch.cat([part.features for part in parts]),
        logits={name: torch.cat([part.logits[name] for part in parts]) for name in first.logits},
        masks={name: torch.cat([part.masks[name] for part in parts]) for name in first.masks},
    )
