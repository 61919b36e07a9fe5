"""Passes: runs of a network, forward or also backward. Scores declare them, and equal passes run once per candidate."""

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
"""A kind of data that a pass can record, see `PassSpec.observe`."""

OF_READOUTS = frozenset({"output gradients", "gradient correlations", "curvature"})
"""Observations that are gradients of the read-out, and so need ``gradients="weights"``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PassSpec:
    """The specification of one run of a network. Scores with equal specifications share one run.

    Every pass runs in eval mode without dropout, and never changes weights in place.

    Attributes:
        inputs: Kind of batch: ``noise``, which the user's data replace if there are any, or ``ones``.
        size: Samples in the batch.
        perturbation: Factor of standard normal noise that is added to the continuous inputs. With ``norm="batch"``, the
            statistics are those of the batch without the noise.
        weights: ``fresh`` or ``inherited``: as `SearchSpace.load` gives them; ``normal``: every matrix and kernel drawn
            from N(0, 1), vectors as loaded but biases 0.
        drawn: The weights that ``normal`` draws, if not every matrix and kernel: roles of views, such as ``ffn``, and
            ``norm`` for the gains of norms.
        magnitude: Whether weights and buffers are replaced by their absolute values.
        dtype: Precision of weights, inputs and everything computed from them.
        norm: How normalisation layers work. ``batch``: batch norms use the statistics of the batch as constants, so
            that the gradient of a sample does not depend on other samples. ``coupled``: the same, with gradients
            through the statistics. ``bypass``: every normalisation layer is the identity, and the result of a softmax,
            such as attention weights, counts as constant, because without norms its gradient vanishes or overflows. An
            RMS norm still divides by a constant then, because gated feed-forward layers after it multiply features by
            each other and would square them in each layer.
            Layers are recognised by the torch function that they call. A norm that is written out, such as
            ``x * (x**2).mean(-1).rsqrt()``, is not recognised and stays active.
        variant: Structure, see `SearchSpace.build`.
        readout: The scalar that is differentiated. ``none``: there is none; ``cotangent``: the sum of all logits, each
            times a fixed standard normal number, without padded positions; ``sum``: the plain sum of all logits, whose
            gradient vanishes if a layer norm comes last; ``cross entropy``: the mean cross entropy of the samples, or
            of their positions if they have any, with fixed random labels, or the loss of the task of the user's data.
        gradients: With respect to what the read-out is differentiated. ``none``: nothing; ``weights``: every trainable
            parameter; ``layers``: the output of each linear or convolutional layer, whose input is recorded too;
            ``samples``: every trainable parameter, for the read-out of one sample at a time, which needs one backward
            run per sample; ``factors``: every trainable parameter, but the gradient of a matrix that was multiplied by
            few rows is recorded as two factors; ``inputs``: the continuous inputs, or the embeddings of a network of
            tokens. With ``weights`` and ``factors``, a batch with many positions runs in parts.
        roles: Roles of the views whose parameters ``weights``, ``samples`` and ``factors`` use; empty: all parameters.
        observe: What is recorded in addition to the outputs. With gradients ``none``, ``inputs`` and ``weights``:
            ``signs`` of pre-activations, ``moments`` of the outputs of layers, inputs and outputs of ``blocks``,
            ``block gradients``, the gradient with respect to a block's input for a random cotangent at its output,
            ``outputs`` of layers, and ``correlations`` between the samples in the inputs of activation functions. Only
            with gradients ``weights``: ``output gradients``, the gradient of the read-out with respect to the outputs
            of layers, ``gradient correlations``, the correlations of the gradient with respect to the inputs of
            activation functions, and ``curvature``, the product of the Hessian of the read-out with its gradient.
        repeat: Number of an independent repetition, which has another batch and other weights.
        batch: Number of a batch for the same weights.
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
        """Return the same pass without read-out and gradients, which do not change the outputs."""
        return dataclasses.replace(self, readout="none", gradients="none", roles=(), observe=())

    @property
    def needs_graph(self) -> bool:
        """Whether the run computes any gradient."""
        return self.gradients != "none" or "block gradients" in self.observe

    def covers(self, other: PassSpec) -> bool:
        """Return whether a trace of this pass contains everything that a trace of `other` would contain."""
        if self.forward() != other.forward() or not set(other.observe) <= set(self.observe):
            return False
        return other.gradients == "none" or self._without_observing() == other._without_observing()

    def joined(self, other: PassSpec) -> PassSpec | None:
        """Return one pass whose trace contains everything that traces of both would contain, or None if none can."""
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
    """Return fewer passes whose traces contain everything that the traces of `passes` would contain."""
    plan: list[PassSpec] = []
    for spec in passes:
        for known in plan:
            if joined := known.joined(spec):
                # The joined pass may cover other passes of the plan.
                plan = [joined, *(other for other in plan if other is not known and not joined.covers(other))]
                break
        else:
            plan.append(spec)
    return tuple(plan)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The recorded data of a pass. Scores share it, so nothing in it may be changed.

    Attributes:
        spec: The pass.
        outputs: Features and logits, detached.
        parameters: The weights of the run, by name.
        gradients: Gradient of the read-out by parameter name, for ``gradients="weights"``. For ``"samples"``, the first
            dimension of each is the sample. For ``"factors"``, only those that are not in `factors`.
        factors: Factors of the gradient of the read-out by parameter name, for ``gradients="factors"``.
        layers: One record for each call of a linear or convolutional layer, for ``gradients="layers"``. A matrix that
            is used in another way, or whose samples cannot be separated, has no record.
        statistics: Mean and inverse standard deviation of each call of a batch-norm, for ``norm="batch"``.
        input_gradients: Gradient of the read-out by input, sample first, for ``gradients="inputs"``. The gradients of
            embeddings have the names ``embedding0``, ``embedding1``, ...
        signs: Whether each unit is above zero, (samples, units): one tensor for each call of an activation function, if
            ``signs`` are observed.
        moments: One record for each call of a linear or convolutional layer, if ``moments`` are observed.
        blocks: One record for each call of a block, if ``blocks`` or ``block gradients`` are observed.
        layer_outputs: One record for each call of a linear or convolutional layer, if ``outputs`` or
            ``output gradients`` are observed.
        correlations: One record for each call of an activation function, if ``correlations`` or
            ``gradient correlations`` are observed.
        curvature: The product of the Hessian of the read-out with its gradient by parameter name, if ``curvature`` is
            observed.
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
        """Return every tensor in any field of the trace."""
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
    """The gradient of a matrix in two factors: it is ``outputs.T @ inputs``, (out, in) however the matrix is stored.

    Attributes:
        outputs: Gradient with respect to the output of the layer, (rows, out).
        inputs: Input of the layer, (rows, in).
    """

    outputs: Tensor
    inputs: Tensor

    def of(self, view: WeightView) -> GradientFactors:
        """Return the factors of the part of the gradient that belongs to `view`."""
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
        inputs: Input of the call, sample first; (samples, positions..., features) for a linear layer.
        output_gradient: Gradient of the read-out with respect to the output of the call, sample first.
        convolution: Geometry of a convolution; None for a linear layer.
    """

    parameter: str
    inputs: Tensor
    output_gradient: Tensor
    convolution: Convolution | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """The geometry of a convolution. Its tuples have one entry for each spatial dimension.

    Attributes:
        kernel: Size of the kernel.
        stride: Distance between output positions.
        padding: Number of zeros ``(before, after)`` the input.
        dilation: Distance between the weights of the kernel.
        groups: Number of channel groups that do not mix.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerMoments:
    """Second moments of the output of one call of a layer, about the mean over its rows.

    Attributes:
        parameter: Name of the weight of the layer.
        rows: Number of samples times number of positions.
        channels: Number of features in a row.
        variance: Trace of the covariance matrix of the channels.
        square: Sum of the squared elements of this matrix, which equals the sum of its squared eigenvalues.
    """

    parameter: str
    rows: int
    channels: int
    variance: float
    square: float

    @property
    def participation_ratio(self) -> float:
        """The effective number of dimensions of the outputs, from 1 to `channels`; 0 if the outputs do not vary."""
        return self.variance**2 / self.square if self.square > 0 else 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BlockCall:
    """One call of a block, see `SearchSpace.block_names`.

    Attributes:
        name: Name of the module.
        inputs: Input of the call, sample first.
        outputs: Output of the call, sample first.
        channels: Index of the channel dimension in both: 1 after a convolution, else -1.
        cotangent: Independent signs, +1 or -1, of the shape of the outputs; None without gradients.
        input_gradient: Gradient of the sum of cotangent times outputs with respect to the inputs; None without
            gradients.
    """

    name: str
    inputs: Tensor
    outputs: Tensor
    channels: int
    cotangent: Tensor | None = None
    input_gradient: Tensor | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerOutput:
    """The output of one call of a linear or convolutional layer.

    Attributes:
        parameter: Name of the weight of the layer.
        outputs: The output.
        channels: Index of the channel dimension: 1 after a convolution, else -1.
        gradient: Gradient of the read-out with respect to the outputs; None if it is not observed.
    """

    parameter: str
    outputs: Tensor
    channels: int
    gradient: Tensor | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleCorrelations:
    """Correlations between samples of the inputs of one call of an activation function.

    Attributes:
        block: Number of blocks that had ended before the call.
        inputs: Correlations of the inputs, (samples, samples), in float64; NaN for a sample whose inputs do not vary.
        gradients: The same for the gradient of the read-out with respect to the inputs; None if it is not observed.
    """

    block: int
    inputs: Tensor
    gradients: Tensor | None = None
