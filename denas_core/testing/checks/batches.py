"""What the batches of a search space must be: drawn from a seed, sample first, fit for every kind of pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.testing.check import Check, require
from denas_core.testing.samples.built import SIZE, batch_of, batch_tensors, few
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def batches_repeat(space: SearchSpace) -> None:
    """batch() gives the same batch for a seed, and another for another seed."""
    import torch

    first, again, other = (batch_tensors(batch_of(space, seed=seed)) for seed in (3, 3, 4))
    for name, tensor in first.items():
        require(
            tensor.shape == again[name].shape and torch.equal(tensor, again[name]),
            f"batch(seed=3) gives {name!r} {safe_repr(few(tensor))} and then {safe_repr(few(again[name]))}; draw from "
            "torch.Generator().manual_seed(seed)",
        )
    differs = any(t.shape != other[n].shape or not torch.equal(t, other[n]) for n, t in first.items())
    require(differs, "batch() gives the same noise for seeds 3 and 4; draw it from the seed")


def batches_have_their_size(space: SearchSpace) -> None:
    """Every tensor of a batch is on the CPU and has as many samples as were asked for, sample first."""
    for size in (1, SIZE):
        for name, tensor in batch_tensors(batch_of(space, size=size)).items():
            require(
                tensor.dim() > 0 and tensor.shape[0] == size and tensor.device.type == "cpu",
                f"batch({size}) holds {name!r} of shape {tuple(tensor.shape)} on {tensor.device}; put samples first, "
                "on the CPU",
            )


def batches_of_ones_are_constant(space: SearchSpace) -> None:
    """The batch of kind 'ones' has ones in its continuous inputs, whatever the seed."""
    import torch

    for seed in (0, 1):
        batch = batch_of(space, seed=seed, kind="ones")
        for name, tensor in batch.inputs.items():
            if tensor.is_floating_point():
                require(
                    bool((tensor == 1).all()),
                    f"batch(kind='ones', seed={seed}) has {name!r} {safe_repr(few(tensor))}; fill it with torch.ones",
                )
    first, other = (batch_tensors(batch_of(space, seed=seed, kind="ones")) for seed in (0, 1))
    require(
        all(torch.equal(tensor, other[name]) for name, tensor in first.items()),
        "batch(kind='ones') depends on the seed; make it constant",
    )


def cost_batches_are_on_meta(space: SearchSpace) -> None:
    """The batch of kind 'cost' is on the meta device and has no masks."""
    batch = batch_of(space, kind="cost")
    elsewhere = [name for name, tensor in batch_tensors(batch).items() if not tensor.is_meta]
    require(
        not elsewhere,
        f"batch(kind='cost') has {safe_repr(elsewhere)} in memory; make them with device='meta'",
    )
    require(not batch.masks, f"batch(kind='cost') has masks {safe_repr(list(batch.masks))}; leave them out")


def perturbable_inputs_are_continuous(space: SearchSpace) -> None:
    """Inputs that may be perturbed are inputs of floating-point numbers."""
    batch = batch_of(space)
    for name in batch.perturbable:
        require(
            name in batch.inputs,
            f"perturbable names {name!r}; the inputs are {safe_repr(list(batch.inputs))}",
        )
        require(
            batch.inputs[name].is_floating_point(),
            f"input {name!r} is {batch.inputs[name].dtype} and cannot be perturbed; take it out of perturbable",
        )


BATCH_CHECKS: tuple[Check, ...] = (
    batches_repeat,
    batches_have_their_size,
    batches_of_ones_are_constant,
    cost_batches_are_on_meta,
    perturbable_inputs_are_continuous,
)
