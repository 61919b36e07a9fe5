"""Passes: forward and backward runs that scores declare, so that each distinct one runs once a candidate."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from .batch import Outputs
    from .views import WeightView


Observation = Literal[
    "signs",
    "moments",
    "blocks",
    "block gradients",
    "outputs",
    "output gradients",
    "correlations",
    "gradient correlations",
    "curvature",
]
"""What a pass can keep of a run, see `PassSpec.observe`."""

OF_READOUTS = frozenset({"output gradients", "gradient correlations", "curvature"})
"""Observations that are gradients of the read-out, and so need ``gradients="weights"``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PassSpec:
    """One run of a network: equal specifications are run once and shared.

    Every pass is in eval mode without dropout, on weights that are never changed in place.

    Attributes:
        inputs: Kind of batch: ``noise`` or ``ones``.
        size: Samples in the batch.
        perturbation: Adds this much standard normal noise to the continuous inputs. Under ``norm="batch"`` the
            statistics stay those of the batch without it.
        weights: ``fresh`` or ``inherited``: as `SearchSpace.load` gives them; ``normal``: every matrix and kernel drawn
            from N(0, 1), vectors as loaded but biases 0.
        drawn: What ``normal`` draws, if not every matrix and kernel: roles of views, such as ``ffn``, and ``norm`` for
            the gains of norms.
        magnitude: Replaces weights and buffers by their magnitudes.
        dtype: Precision of weights, inputs and everything between.
        norm: Batch-norm uses the statistics of the batch, held constant so that samples do not couple (``batch``), the
            same with gradients through them (``coupled``), or every normalisation layer is the identity (``bypass``)
            and what a softmax returns, such as attention weights, is held constant: without norms its own gradient
            vanishes or overflows. An RMS norm still divides, by a constant, since gated feed-forward layers behind it
            multiply features by each other, and would square them layer by layer.
            Layers are known by the torch function they call: a norm written out by hand, such as an RMS norm of
            ``x * (x**2).mean(-1).rsqrt()``, is not seen and stays on.
        variant: Structure, see `SearchSpace.build`.
        readout: The scalar that is differentiated: none; ``cotangent``: the sum of every logit times a fixed standard
            normal number, masked by length; ``sum``: the plain sum, whose gradient vanishes behind a layer norm;
            ``cross entropy``: the mean cross entropy of the samples with fixed random labels, of each position where
            the logits have positions.
        gradients: What is differentiated by: none; ``weights``: every trainable parameter; ``layers``: the output of
            each linear or convolutional layer, whose input is kept beside it; ``samples``: every trainable parameter,
            one sample's read-out at a time, which takes a backward run a sample; ``factors``: every trainable
            parameter, but matrices that few rows were multiplied by as the two factors of their gradients.
            Under ``weights`` and ``factors``, a batch of many positions runs in parts, whose gradients add up.
            ``inputs``: the continuous inputs, or the embeddings of a network of tokens.
        roles: Roles of the views whose parameters ``weights``, ``samples`` and ``factors`` differentiate by; all
            parameters if empty.
        observe: What is kept of the run beside its outputs, for gradients ``none``, ``inputs`` and ``weights``:
            ``signs`` of pre-activations, ``moments`` of what layers put out, inputs and outputs of ``blocks``,
            ``block gradients``, the gradient by each block's input of a random cotangent at its output, ``outputs``
            of layers, and ``correlations`` between the samples of what goes into activation functions. For gradients
            ``weights`` alone: ``output gradients``, the gradient of the read-out by the outputs of layers,
            ``gradient correlations``, those of the gradient by what goes into activation functions, and
            ``curvature``, the product of the Hessian of the read-out with its gradient.
        repeat: Counts independent repetitions: another batch and other weights.
        batch: Counts batches on the same weights.
    """

    inputs: Literal["noise", "ones"] = "noise"
    size: int = 64
    perturbation: float = 0.0
    weights: Literal["fresh", "inherited", "normal"] = "fresh"
    drawn: tuple[str, ...] = ()
    magnitude: bool = False
    dtype: Literal["float32", "float64"] = "float32"
    norm: Literal["batch", "coupled", "bypass"] = "batch"
    variant: Literal["full", "plain"] = "full"
    readout: Literal["none", "cotangent", "sum", "cross entropy"] = "none"
    gradients: Literal["none", "weights", "layers", "samples", "factors", "inputs"] = "none"
    roles: tuple[str, ...] = ()
    observe: tuple[Observation, ...] = ()
    repeat: int = 0
    batch: int = 0

    def __post_init__(self) -> None:
        """Refuse to observe gradients of a read-out that the pass does not differentiate by weights."""
        if self.gradients != "weights" and not OF_READOUTS.isdisjoint(self.observe):
            names = ", ".join(sorted(OF_READOUTS & set(self.observe)))
            raise ValueError(
                f"a pass that observes {names} needs gradients='weights', not {self.gradients!r}"
            )

    def forward(self) -> PassSpec:
        """Return the pass without read-out and gradients, which alone decides its outputs."""
        return dataclasses.replace(self, readout="none", gradients="none", roles=(), observe=())

    @property
    def needs_graph(self) -> bool:
        """Whether the run is differentiated by anything."""
        return self.gradients != "none" or "block gradients" in self.observe

    def covers(self, other: PassSpec) -> bool:
        """Tell whether a trace of this pass holds all that a trace of `other` would."""
        if self.forward() != other.forward() or not set(other.observe) <= set(self.observe):
            return False
        return other.gradients == "none" or self._without_observing() == other._without_observing()

    def joined(self, other: PassSpec) -> PassSpec | None:
        """Return the one pass whose trace holds all that traces of both would, or None if it takes two."""
        if self.covers(other):
            return self
        if other.covers(self):
            return other
        gradients = {self.gradients, other.gradients} - {"none"}
        if self.forward() != other.forward() or gradients not in ({"inputs"}, {"weights"}, set()):
            return None
        wider = self if self.gradients != "none" else other
        joined = dataclasses.replace(wider, observe=tuple(sorted({*self.observe, *other.observe})))
        return joined if joined.covers(self) and joined.covers(other) else None

    def _without_observing(self) -> PassSpec:
        return dataclasses.replace(self, observe=())


def joined_passes(passes: Iterable[PassSpec]) -> tuple[PassSpec, ...]:
    """Return the fewest passes whose traces hold all that traces of `passes` would."""
    plan: list[PassSpec] = []
    for spec in passes:
        for known in plan:
            if joined := known.joined(spec):
                # A wider pass may take in others of the plan.
                plan = [joined, *(other for other in plan if other is not known and not joined.covers(other))]
                break
        else:
            plan.append(spec)
    return tuple(plan)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a pass left behind; shared between scores, so nothing in it may be changed.

    Attributes:
        spec: The pass.
        outputs: Features and logits, detached.
        parameters: The weights that were used, by name.
        gradients: Gradient of the read-out by parameter name, for ``gradients="weights"``; for ``"samples"``, each
            with the sample as its first dimension; for ``"factors"``, those that are not among `factors`.
        factors: Factors of the gradient of the read-out by parameter name, for ``gradients="factors"``.
        layers: One record a call of a linear or convolutional layer, for ``gradients="layers"``. A matrix that is used
            in another way, or whose samples cannot be told apart, has none.
        statistics: Mean and inverse standard deviation of each call of a batch-norm, for ``norm="batch"``.
        input_gradients: Gradient of the read-out by input, sample first, for ``gradients="inputs"``; those of
            embeddings are called ``embedding0``, ``embedding1``, ...
        signs: Whether each unit is above zero, (samples, units), one tensor a call of an activation function, where
            ``signs`` are observed.
        moments: One record a call of a linear or convolutional layer, where ``moments`` are observed.
        blocks: One record a call of a block, where ``blocks`` or ``block gradients`` are observed.
        layer_outputs: One record a call of a linear or convolutional layer, where ``outputs`` or ``output gradients``
            are observed.
        correlations: One record a call of an activation function, where ``correlations`` or ``gradient correlations``
            are observed.
        curvature: The product of the Hessian of the read-out with its gradient by parameter name, where ``curvature``
            is observed.
    """

    spec: PassSpec
    outputs: Outputs
    parameters: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    factors: Mapping[str, GradientFactors] = dataclasses.field(default_factory=dict)
    layers: tuple[LayerCall, ...] = ()
    statistics: tuple[tuple[Tensor, Tensor], ...] = ()
    input_gradients: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    signs: tuple[Tensor, ...] = ()
    moments: tuple[LayerMoments, ...] = ()
    blocks: tuple[BlockCall, ...] = ()
    layer_outputs: tuple[LayerOutput, ...] = ()
    correlations: tuple[SampleCorrelations, ...] = ()
    curvature: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    def tensors(self) -> list[Tensor]:
        """Return every tensor of the trace, in whichever field it is."""
        from torch import Tensor

        found: list[Tensor] = []
        left: list[Any] = [self]
        while left:
            value = left.pop()
            if isinstance(value, Tensor):
                found.append(value)
            elif isinstance(value, tuple):
                left += value
            elif isinstance(value, Mapping):
                left += value.values()
            else:
                left += [getattr(value, name) for name in getattr(value, "__dataclass_fields__", ())]
        return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GradientFactors:
    """A gradient of few rows by a matrix: ``outputs.T @ inputs``, (out, in) however the matrix is stored.

    Attributes:
        outputs: Gradients by what came out of the layer, (rows, out).
        inputs: What went into the layer, (rows, in).
    """

    outputs: Tensor
    inputs: Tensor

    def of(self, view: WeightView) -> GradientFactors:
        """Return the factors of the part of the gradient that `view` shows."""
        outputs, inputs = self.outputs, self.inputs
        if view.rows is not None:
            outputs = outputs[:, slice(*view.rows)]
        if view.columns is not None:
            inputs = inputs[:, slice(*view.columns)]
        return GradientFactors(outputs=outputs, inputs=inputs)

    def product(self) -> Tensor:
        """Return the gradient, (out, in)."""
        return self.outputs.T @ self.inputs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """One call of a linear or convolutional layer.

    Attributes:
        parameter: Name of its weight.
        inputs: What went in, sample first; (samples, positions..., features) for a linear layer.
        output_gradient: Gradient of the read-out by what came out, sample first.
        convolution: How a convolution moves; None for a linear layer.
    """

    parameter: str
    inputs: Tensor
    output_gradient: Tensor
    convolution: Convolution | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """How a convolution moves over its input, one number a spatial dimension.

    Attributes:
        kernel: Size of the kernel.
        stride: Steps between output positions.
        padding: Zeros ``(before, after)`` the input.
        dilation: Steps between the weights of the kernel.
        groups: Groups of channels that do not mix.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerMoments:
    """Second moments of what one call of a layer put out, about the mean over its rows.

    Attributes:
        parameter: Name of the weight of the layer.
        rows: Samples times positions.
        channels: Features of a row.
        variance: Trace of the covariance matrix of the channels.
        square: Sum of the squares of its elements, which is that of its squared eigenvalues.
    """

    parameter: str
    rows: int
    channels: int
    variance: float
    square: float

    @property
    def participation_ratio(self) -> float:
        """The number of directions that the outputs spread over, from 1 to the channels; 0 if they do not vary."""
        return self.variance**2 / self.square if self.square > 0 else 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BlockCall:
    """One call of a block, see `SearchSpace.block_names`.

    Attributes:
        name: Name of the module.
        inputs: What went in, sample first.
        outputs: What came out, sample first.
        channels: The dimension of the channels of both: 1 behind a convolution, else -1.
        cotangent: Independent signs, +1 or -1, of the shape of the outputs; None without gradients.
        input_gradient: Gradient of the sum of cotangent times outputs by the inputs; None without gradients.
    """

    name: str
    inputs: Tensor
    outputs: Tensor
    channels: int
    cotangent: Tensor | None = None
    input_gradient: Tensor | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerOutput:
    """What one call of a linear or convolutional layer put out.

    Attributes:
        parameter: Name of the weight of the layer.
        outputs: What came out.
        channels: The dimension of the channels: 1 behind a convolution, else -1.
        gradient: Gradient of the read-out by the outputs; None where it is not observed.
    """

    parameter: str
    outputs: Tensor
    channels: int
    gradient: Tensor | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleCorrelations:
    """Correlations between samples of what goes into one call of an activation function.

    Attributes:
        block: How many blocks had ended before the call.
        inputs: Correlations of the inputs, (samples, samples), in float64; NaN where a sample's do not vary.
        gradients: Correlations of the gradient of the read-out by the inputs, likewise; None where it is not observed.
    """

    block: int
    inputs: Tensor
    gradients: Tensor | None = None
