"""Running a pass: one forward, and backward where asked, without a trace in global state."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from denas_core.errors import ScoreFailed
from denas_core.seeding import derive_seed
from denas_core.system.memory import is_out_of_memory
from denas_core.values.batch import Batch, Outputs
from denas_core.values.passes import PassSpec, Trace

from .block_calls import BlockRecorder
from .correlations import CorrelationRecorder
from .factors import FactorRecorder, GradientTotal
from .input_gradients import InputGradients
from .inputs import Subject, parts_of, readout_of
from .layer_outputs import OutputRecorder
from .mode import LayerRecorder, Observer, PassMode, Recorder
from .moments import MomentRecorder
from .norms import BatchNorms
from .signs import SignRecorder


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
        self._norms = BatchNorms(spec.norm, replay=subject.statistics)
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
        spec = self._spec
        batch = self._subject.batch()
        if spec.gradients in ("weights", "factors") and not spec.observe:
            # Samples that meet in a batch norm need the whole batch; only running a part tells whether they do.
            trace = self._summed(parts_of(batch, spec.size)) or self._summed([batch])
            assert trace is not None
            return trace
        if spec.gradients == "inputs" or spec.observe:
            return self._observing(batch)
        recorder = LayerRecorder(self._weights, spec.size) if spec.gradients == "layers" else None
        if spec.gradients == "samples":
            self._require_gradients()
        outputs = self._forward(batch, recorder)
        trace = self._trace([_detached(outputs)])
        if spec.gradients == "none":
            return trace
        readout = readout_of(outputs, spec, seed=self._subject.seed)
        if recorder is not None:
            return dataclasses.replace(trace, layers=recorder.differentiate(readout))
        return dataclasses.replace(trace, gradients=self._sample_gradients(readout))

    def _observing(self, batch: Batch) -> Trace:
        """Return the trace of a run that is observed, or differentiated by its inputs, of the whole batch at once."""
        spec, size = self._spec, self._spec.size
        with_cotangents = "block gradients" in spec.observe
        is_differentiated = spec.gradients == "inputs" or with_cotangents
        inputs = InputGradients(batch, size) if is_differentiated else None
        signs = SignRecorder(size) if "signs" in spec.observe else None
        moments = MomentRecorder(self._weights) if "moments" in spec.observe else None
        layers = OutputRecorder(self._weights) if self._observes("outputs", "output gradients") else None
        with_correlations = self._observes("correlations", "gradient correlations")
        blocks = correlations = None
        # A network without blocks has correlations all the same.
        names = self._subject.blocks() if with_correlations else ()
        if names or self._observes("blocks", "block gradients"):
            blocks = BlockRecorder(self._network, names or self._subject.blocks(), size)
        if with_correlations:
            correlations = CorrelationRecorder(size, blocks.ended if blocks else lambda: 0)
        if spec.gradients == "weights":
            self._require_gradients()
        observers = [o for o in (inputs, layers, signs, moments, blocks) if o is not None]
        with blocks or contextlib.nullcontext():
            outputs = self._forward(batch if inputs is None else inputs.batch, correlations, observers)
        trace = self._trace([_detached(outputs)])
        if spec.gradients == "weights":
            readout = readout_of(outputs, spec, seed=self._subject.seed)
            trace = self._with_gradients(trace, readout.sum(), layers, correlations)
        else:
            trace = dataclasses.replace(
                trace,
                layer_outputs=() if layers is None else layers.calls(None),
                correlations=() if correlations is None else correlations.calls(None),
            )
        by_input: Mapping[str, Tensor] = {}
        if spec.gradients == "inputs" and inputs is not None:
            readout = readout_of(outputs, spec, seed=self._subject.seed)
            by_input = inputs.of(readout, retain_graph=with_cotangents)
        generator = None
        if with_cotangents:
            seed = derive_seed(self._subject.seed, "block cotangents", spec.repeat)
            generator = torch.Generator().manual_seed(seed)
        return dataclasses.replace(
            trace,
            input_gradients=by_input,
            signs=() if signs is None else tuple(signs.signs),
            moments=() if moments is None else tuple(moments.moments),
            blocks=blocks.calls(generator) if blocks and self._observes("blocks", "block gradients") else (),
        )

    def _observes(self, *names: str) -> bool:
        return any(name in self._spec.observe for name in names)

    def _with_gradients(
        self,
        trace: Trace,
        readout: Tensor,
        layers: OutputRecorder | None,
        correlations: CorrelationRecorder | None,
    ) -> Trace:
        """Return the trace with gradients of the read-out by weights, and by what is observed, of one backward run."""
        observe, tensors = self._spec.observe, list(self._trainable.values())
        by_layers = layers.edges() if layers and "output gradients" in observe else []
        by_activations = correlations.edges() if correlations and "gradient correlations" in observe else []
        sources: list[Any] = [*tensors, *by_layers, *by_activations]
        gradients: list[Tensor | None] = [None] * len(sources)
        if readout.requires_grad:
            gradients = list(
                torch.autograd.grad(
                    readout,
                    sources,
                    retain_graph="curvature" in observe or "block gradients" in observe,
                    create_graph="curvature" in observe,
                    allow_unused=True,
                )
            )
        by_weights = gradients[: len(tensors)]
        at_layers = gradients[len(tensors) : len(tensors) + len(by_layers)]
        at_activations = gradients[len(tensors) + len(by_layers) :]
        return dataclasses.replace(
            trace,
            gradients=self._named(by_weights),
            layer_outputs=layers.calls(at_layers if "output gradients" in observe else None)
            if layers
            else (),
            correlations=(
                correlations.calls(at_activations if "gradient correlations" in observe else None)
                if correlations
                else ()
            ),
            curvature=self._named(self._hessian_products(by_weights)) if "curvature" in observe else {},
        )

    def _hessian_products(self, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """Return the Hessian times the gradient, which is the gradient of half the square of the gradient."""
        tensors = list(self._trainable.values())
        squares = [(g.detach() * g).sum() for g in gradients if g is not None and g.requires_grad]
        if not squares:
            return [None] * len(tensors)
        return torch.autograd.grad(
            torch.stack(squares).sum(),
            tensors,
            retain_graph="block gradients" in self._spec.observe,
            allow_unused=True,
        )

    def _named(self, gradients: Sequence[Tensor | None]) -> dict[str, Tensor]:
        return {
            name: torch.zeros_like(tensor) if gradient is None else gradient.detach()
            for (name, tensor), gradient in zip(self._trainable.items(), gradients, strict=True)
        }

    def _summed(self, parts: Sequence[Batch]) -> Trace | None:
        """Return the trace of a batch that runs in parts, or None if its samples depend on each other."""
        self._require_gradients()
        recorder = FactorRecorder(self._trainable) if self._spec.gradients == "factors" else None
        totals = {name: GradientTotal(tensor) for name, tensor in self._trainable.items()}
        seen: list[Outputs] = []
        first = 0
        for part in parts:
            outputs = self._forward(part, recorder)
            if len(parts) > 1 and self._norms.calls and self._norms.policy != "bypass":
                self._norms = BatchNorms(self._spec.norm)
                return None
            readout = readout_of(outputs, self._spec, seed=self._subject.seed, first=first)
            first += len(readout)
            seen.append(_detached(outputs))
            if recorder is not None:
                recorder.differentiate(readout, totals)
            else:
                for name, gradient in self._gradients(readout.sum(), retain_graph=False).items():
                    totals[name].add(gradient)
            # The graph of a part goes before the next is made.
            del outputs, readout
        results = {name: total.result() for name, total in totals.items()}
        return dataclasses.replace(
            self._trace(seen),
            gradients={name: result for name, result in results.items() if isinstance(result, Tensor)},
            factors={name: result for name, result in results.items() if not isinstance(result, Tensor)},
        )

    def _trace(self, parts: Sequence[Outputs]) -> Trace:
        return Trace(
            spec=self._spec,
            outputs=_joined(parts),
            parameters={name: self._weights[name].detach() for name, _ in self._network.named_parameters()},
            statistics=tuple(self._norms.statistics),
        )

    def _require_gradients(self) -> None:
        for tensor in self._trainable.values():
            tensor.requires_grad_()

    def _forward(
        self, batch: Batch, recorder: Recorder | None, observers: Sequence[Observer] = ()
    ) -> Outputs:
        weights = {f"network.{name}": tensor for name, tensor in self._weights.items()}
        outputs: Outputs
        # What a network creates while it runs, such as a mask, gets the precision of the pass.
        with (
            torch.set_grad_enabled(self._spec.needs_graph),
            _default_dtype(self._spec.dtype),
            # No other implementation of attention can be differentiated twice.
            sdpa_kernel(SDPBackend.MATH) if self._observes("curvature") else contextlib.nullcontext(),
            PassMode(self._norms, recorder, observers),
        ):
            outputs = functional_call(_Forward(self._subject.forward, self._network), weights, (batch,))
        _check_finite(outputs)
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
    """The forward of a subject as a module, so that `functional_call` can give the network its weights meanwhile."""

    def __init__(self, run: Callable[[nn.Module, Batch], Outputs], network: nn.Module) -> None:
        super().__init__()
        self.run = run
        self.network = network

    def forward(self, batch: Batch) -> Outputs:
        return self.run(self.network, batch)


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


def _joined(parts: Sequence[Outputs]) -> Outputs:
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return Outputs(
        features=torch.cat([part.features for part in parts]),
        logits={name: torch.cat([part.logits[name] for part in parts]) for name in first.logits},
        masks={name: torch.cat([part.masks[name] for part in parts]) for name in first.masks},
    )
