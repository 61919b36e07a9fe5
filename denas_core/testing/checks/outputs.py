"""What a search space promises about the batches of its networks, and about their outputs."""

from __future__ import annotations

import dataclasses
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckSkipped, check, check_on, fail
from denas_core.testing.samples.built import (
    SIZE,
    Network,
    batch_of,
    batch_tensors,
    networks,
    shapes,
    smallest,
)
from denas_core.testing.samples.difference import brief, difference

MOST_COUPLED = 1e-3
"""Change of an output by other samples, relative to the largest output, that rounding explains."""


@check
def batches_have_their_size(space: SearchSpace) -> None:
    """Every tensor of a batch is on the CPU and has as many samples as were asked for, sample first."""
    for size in (1, SIZE):
        for name, tensor in batch_tensors(batch_of(space, size=size)).items():
            if tensor.device.type != "cpu" or tensor.dim() == 0 or len(tensor) != size:
                fail(f"batch({size}) holds {name!r} {brief(tensor)} on {tensor.device}; put samples first")


@check
def batches_of_ones_are_constant(space: SearchSpace) -> None:
    """The batch of kind 'ones' has ones in its continuous inputs, whatever the seed."""
    first, other = (batch_of(space, seed=seed, kind="ones") for seed in (0, 1))
    if found := difference(batch_tensors(first), batch_tensors(other)):
        fail(f"batch(kind='ones') depends on the seed: {found}; make it constant")
    for name, tensor in first.inputs.items():
        if tensor.is_floating_point() and not (tensor == 1).all():
            fail(f"batch(kind='ones') has {name!r} {brief(tensor)}; fill it with torch.ones")


@check
def cost_batches_are_on_meta(space: SearchSpace) -> None:
    """The batch of kind 'cost' is on the meta device and has no masks."""
    batch = batch_of(space, kind="cost")
    elsewhere = [name for name, tensor in batch_tensors(batch).items() if not tensor.is_meta]
    if elsewhere:
        fail(f"batch(kind='cost') has {brief(elsewhere)} in memory; make them with device='meta'")
    if batch.masks:
        fail(f"batch(kind='cost') has masks {brief(list(batch.masks))}; leave them out")


@check
def perturbable_inputs_are_continuous(space: SearchSpace) -> None:
    """Inputs that may be perturbed are inputs of floating-point numbers."""
    batch = batch_of(space)
    for name in batch.perturbable:
        if name not in batch.inputs:
            fail(f"perturbable names {name!r}; the inputs are {brief(list(batch.inputs))}")
        if not batch.inputs[name].is_floating_point():
            fail(f"input {name!r} is {batch.inputs[name].dtype}, not continuous; take it out of perturbable")


@check_on(networks)
def outputs_are_finite(space: SearchSpace, network: Network) -> None:
    """forward() gives features and logits of finite numbers, sample first."""
    for name, tensor in network.outputs().items():
        if tensor.dim() == 0 or len(tensor) != SIZE:
            fail(f"{name} of {SIZE} samples have the shape {tuple(tensor.shape)}; put samples first")
        if not tensor.isfinite().all():
            fail(f"{name} of the fresh {network} are not finite: {brief(tensor)}; initialise its weights")


@check_on(smallest)
def samples_do_not_couple(space: SearchSpace, network: Network) -> None:
    """In eval mode the outputs of a sample do not depend on the other samples of its batch."""
    import torch

    model, batch, other = network.load(), batch_of(space, seed=0), batch_of(space, seed=1)
    if shapes(batch_tensors(batch)) != shapes(batch_tensors(other)):
        raise CheckSkipped("batches of two seeds have different shapes")
    mixed: dict[str, Any] = {}
    for field in ("inputs", "masks", "lengths"):
        theirs = getattr(other, field)
        # The sample in the middle has other samples before and after it.
        mixed[field] = {
            name: torch.cat([theirs[name][:1], tensor[1:2], theirs[name][2:]])
            for name, tensor in getattr(batch, field).items()
        }
    beside = network.outputs(model, dataclasses.replace(batch, **mixed))
    for name, tensor in network.outputs(model, batch).items():
        change = float((tensor[1] - beside[name][1]).abs().max()) / (float(tensor.abs().max()) or 1.0)
        if not change < MOST_COUPLED:
            fail(f"{name} of a sample change by {change:.2g} with the other samples; keep samples apart")


@check_on(smallest)
def plain_variants_run(space: SearchSpace, network: Network) -> None:
    """The plain variant, without residual connections, builds, loads and gives outputs of the same shapes."""
    full, plain = shapes(network.outputs()), shapes(network.outputs(variant="plain"))
    if plain != full:
        fail(f"the plain variant gives {plain}, the full one {full}; leave out residual connections alone")
