"""Chooses the recorders of a pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from denas_core.seeding import derive_seed
from denas_core.values.passes import PassSpec

from .block_calls import BlockRecorder
from .correlations import CorrelationRecorder
from .factors import FactorRecorder
from .input_gradients import InputGradients, InputLeaves
from .layer_calls import LayerRecorder
from .layer_outputs import OutputRecorder
from .moments import MomentRecorder
from .recorder import Recorder
from .signs import SignRecorder
from .weight_gradients import Curvature, SampleGradients, WeightGradients


def make_recorders(
    spec: PassSpec,
    network: nn.Module,
    weights: Mapping[str, Tensor],
    trainable: Mapping[str, Tensor],
    *,
    blocks: Callable[[], Sequence[str]],
    seed: int,
) -> list[Recorder]:
    """Return the recorders of the pass `spec`, in the order in which they see calls.

    Args:
        spec: The pass.
        network: The network.
        weights: Its parameters and buffers by name.
        trainable: The parameters with respect to which the pass differentiates.
        blocks: Returns the names of the modules of `network` that are its blocks.
        seed: Seed of the cotangents of blocks.
    """
    observe = set(spec.observe)
    recorders = _gradient_recorders(spec, weights, trainable)
    with_correlations = not observe.isdisjoint({"correlations", "gradient correlations"})
    keeps_blocks = not observe.isdisjoint({"blocks", "block gradients"})
    # Correlations count the blocks before them. A network without blocks has correlations too.
    names = blocks() if with_correlations or keeps_blocks else ()
    block_recorder = None
    if names or keeps_blocks:
        cotangent_seed = derive_seed(seed, "block cotangents", spec.repeat)
        block_recorder = BlockRecorder(
            network,
            names,
            spec.size,
            are_kept=keeps_blocks,
            cotangent_seed=cotangent_seed if "block gradients" in observe else None,
        )
    if with_correlations:
        count = block_recorder.count_ended if block_recorder else lambda: 0
        with_gradients = "gradient correlations" in observe
        recorders.append(CorrelationRecorder(spec.size, count, with_gradients=with_gradients))
    if not observe.isdisjoint({"outputs", "output gradients"}):
        recorders.append(OutputRecorder(weights, with_gradients="output gradients" in observe))
    if "signs" in observe:
        recorders.append(SignRecorder(spec.size))
    if "moments" in observe:
        recorders.append(MomentRecorder(weights))
    return [*recorders, *([block_recorder] if block_recorder else [])]


def _gradient_recorders(
    spec: PassSpec, weights: Mapping[str, Tensor], trainable: Mapping[str, Tensor]
) -> list[Recorder]:
    recorders: list[Recorder] = []
    if spec.gradients == "inputs":
        recorders.append(InputGradients(spec.size))
    elif "block gradients" in spec.observe:
        # Without leaves in front of the blocks, there would be no gradients with respect to their inputs.
        recorders.append(InputLeaves(spec.size))
    if spec.gradients == "layers":
        recorders.append(LayerRecorder(weights, spec.size))
    elif spec.gradients == "factors":
        recorders.append(FactorRecorder(trainable))
    elif spec.gradients == "samples":
        recorders.append(SampleGradients(trainable))
    elif spec.gradients == "weights" and "curvature" in spec.observe:
        recorders.append(Curvature(trainable, is_last="block gradients" not in spec.observe))
    elif spec.gradients == "weights":
        recorders.append(WeightGradients(trainable))
    return recorders
