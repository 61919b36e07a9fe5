"""An estimate of the memory that scoring one candidate needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import nn

from denas_core.networks.cost import FLOAT_BYTES, Usage, measure_on_meta, weight_bytes
from denas_core.passes.inputs import samples_of_a_part
from denas_core.values.passes import joined_passes

if TYPE_CHECKING:
    from denas_core.contracts.score import ProxyScore
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch, BatchKind
    from denas_core.values.passes import PassSpec
    from denas_core.values.views import WeightView

WEIGHT_COPIES = 2
"""The loaded network, and one more copy for temporary tensors, such as weights read from a checkpoint."""


WORKSPACE_BYTES = 3 * 2**26
"""Temporary tensors of Gram matrices: three tensors of 2**24 numbers exist at the same time."""


def components_memory_bytes(
    space: SearchSpace, arch: Architecture, components: Iterable[ProxyScore], *, on_data: bool = False
) -> int:
    """Return an upper estimate of the bytes that computing components needs; 0 if they run nothing and say nothing.

    Arguments and errors are those of `scoring_memory_bytes`.
    """
    scores = tuple(components)
    passes = [spec for score in scores for spec in score.passes()]
    own = max((score.memory_bytes(space, arch) for score in scores), default=0)
    return own + (scoring_memory_bytes(space, arch, passes, on_data=on_data) if passes else 0)


def scoring_memory_bytes(
    space: SearchSpace, arch: Architecture, passes: Iterable[PassSpec], *, on_data: bool = False
) -> int:
    """Return an upper estimate of the bytes that running `passes` needs, without torch itself.

    Weights and traces stay in memory until the candidate is finished, and temporary tensors of a pass until the next
    pass. The estimate is therefore `WEIGHT_COPIES` times the weights, plus the traces of all passes, plus the largest
    amount of temporary tensors of a pass. Weights that no standard layer uses are not included; their gradients need
    one backward run per sample. With `on_data`, samples of the user's data replace noise. They are taken to be as large
    as the sample of the cost, such as an image of full size.

    Raises:
        Infeasible: the network is too large for torch to describe.
    """
    distinct = joined_passes(passes)
    kinds: dict[str, BatchKind] = {
        spec.inputs: "cost" if on_data and spec.inputs == "noise" else spec.inputs for spec in distinct
    }
    model, usages = _usages(space, arch, set(kinds.values()))
    views = space.views(model) if any(spec.roles for spec in distinct) else []
    needs = [_needed(spec, model, usages[kinds[spec.inputs]], views) for spec in distinct]
    kept, meanwhile = sum(left for left, _ in needs), max((more for _, more in needs), default=0)
    return WEIGHT_COPIES * weight_bytes(model) + kept + meanwhile


def _usages(
    space: SearchSpace, arch: Architecture, kinds: Iterable[BatchKind]
) -> tuple[nn.Module, dict[BatchKind, Usage]]:
    """Return the network on the meta device, and what one sample of each kind of batch takes.

    Scores may see smaller samples than those of the cost, for example smaller images or shorter texts. Samples of equal
    shape are measured once.
    """
    measured: dict[object, tuple[nn.Module, Usage]] = {}
    keys: dict[BatchKind, object] = {}
    for kind in kinds or ("cost",):
        sample = _sample_on_meta(space, kind)
        keys[kind] = key = sample.positions, *(tensor.shape for tensor in sample.inputs.values())
        if key not in measured:
            measured[key] = measure_on_meta(
                lambda: space.build(arch),
                batch=lambda kind=kind: _sample_on_meta(space, kind),  # type: ignore[misc]
                forward=space.forward,
                name=space.describe(),
            )
    model = next(model for model, _ in measured.values())
    return model, {kind: measured[key][1] for kind, key in keys.items()}


def _sample_on_meta(space: SearchSpace, kind: BatchKind) -> Batch:
    """Return the sample of the cost, which has no masks, with inputs of the shape of another kind of batch."""
    sample = space.batch(1, seed=0, kind="cost")
    try:
        seen = space.batch(1, seed=0, kind=kind)
    except (RuntimeError, MemoryError):
        # A sample that does not fit into memory: the one of the cost takes none, and tells how large it is.
        return sample
    inputs = {
        name: torch.empty_like(seen.inputs.get(name, tensor), device="meta")
        for name, tensor in sample.inputs.items()
    }
    return dataclasses.replace(sample, inputs=inputs, positions=seen.positions)


def _needed(spec: PassSpec, model: nn.Module, usage: Usage, views: Iterable[WeightView]) -> tuple[int, int]:
    """Return the bytes of the trace of a pass, and the bytes of temporary tensors of the pass and its score."""
    precision = 2 if spec.dtype == "float64" else 1
    weights = precision * weight_bytes(model)
    kernels = [parameter.numel() for parameter in model.parameters() if parameter.dim() > 2]
    named = {view.parameter for view in views if any(map(view.has_role, spec.roles))}
    differentiated = precision * sum(
        FLOAT_BYTES * parameter.numel()
        for name, parameter in model.named_parameters()
        if name in named or not spec.roles
    )
    # Without a change of precision, only kernels are copied, into another memory layout.
    copies = weights if precision > 1 or spec.magnitude else FLOAT_BYTES * sum(kernels)
    a_sample = precision * (usage.input_bytes + usage.total_bytes)
    if spec.gradients == "inputs" or spec.observe:
        # Blocks and signs stay, at most as much as the activations; the graph goes, and no weight has a gradient.
        return copies + spec.size * a_sample, spec.size * a_sample + WORKSPACE_BYTES
    if spec.gradients == "none":
        return copies + spec.size * a_sample, 0
    if spec.gradients == "layers":
        # The largest kernel's gradient of each sample exists three times, as oneDNN converts its memory layout.
        gradients = 3 * precision * FLOAT_BYTES * max(kernels, default=0)
        return copies + 2 * spec.size * a_sample, spec.size * gradients + WORKSPACE_BYTES
    if spec.gradients == "samples":
        return copies + spec.size * differentiated, differentiated + 2 * spec.size * a_sample
    samples = samples_of_a_part(usage.positions, spec.size)
    # The gradients of a part exist at the same time as the sum over the parts before it.
    more = differentiated if samples < spec.size else 0
    return copies + differentiated, more + 2 * samples * a_sample
