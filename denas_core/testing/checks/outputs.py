"""What the outputs of a search space's networks must be: finite, the same each time, each sample's its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.built import (
    SIZE,
    batch_of,
    batch_tensors,
    few,
    forward,
    loaded,
    networks,
    output_tensors,
    tensors_of,
)
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def outputs_are_finite(space: SearchSpace) -> None:
    """forward() gives features and logits of finite numbers, sample first."""
    import torch

    for arch in networks(space):
        outputs = forward(space, loaded(space, arch), batch_of(space))
        require(bool(outputs.logits), "forward() returns no logits; name at least one output")
        for name, tensor in output_tensors(outputs).items():
            require(
                tensor.dim() > 0 and tensor.shape[0] == SIZE,
                f"{name} of {SIZE} samples have the shape {tuple(tensor.shape)}; put samples first",
            )
            require(
                bool(torch.isfinite(tensor).all()),
                f"{name} of freshly loaded {safe_repr(arch.as_dict())} are not finite: {safe_repr(few(tensor))}",
            )


def outputs_repeat(space: SearchSpace) -> None:
    """In eval mode forward() gives the same outputs each time."""
    import torch

    arch = networks(space)[0]
    model, batch = loaded(space, arch), batch_of(space)
    first, second = (output_tensors(forward(space, model, batch)) for _ in range(2))
    for name, tensor in first.items():
        require(
            torch.equal(tensor, second[name]),
            f"{name} are {safe_repr(few(tensor))} and then {safe_repr(few(second[name]))} in eval mode; use "
            "nn.Dropout and the like, which eval() switches off",
        )


def samples_do_not_couple(space: SearchSpace) -> None:
    """In eval mode the outputs of a sample do not depend on the other samples of its batch."""
    import dataclasses

    import torch

    arch = networks(space)[0]
    model, batch, other = loaded(space, arch), batch_of(space, seed=0), batch_of(space, seed=1)
    mixed: dict[str, Any] = {}
    for field in ("inputs", "masks", "lengths"):
        ours, theirs = getattr(batch, field), getattr(other, field)
        if any(tensor.shape != theirs[name].shape for name, tensor in ours.items()):
            raise CheckSkipped("batches of two seeds have different shapes")
        # The one in the middle has others before and after it.
        mixed[field] = {
            name: torch.cat([theirs[name][:1], tensor[1:2], theirs[name][2:]])
            for name, tensor in ours.items()
        }
    alone = output_tensors(forward(space, model, batch))
    beside = output_tensors(forward(space, model, dataclasses.replace(batch, **mixed)))
    for name, tensor in alone.items():
        scale = float(tensor.abs().max()) or 1.0
        change = float((tensor[1] - beside[name][1]).abs().max()) / scale
        require(
            change < 1e-3,
            f"{name} of a sample change by {change:.2g} of their size with the other samples; keep samples apart, and "
            "masks per sample",
        )


def forward_changes_nothing(space: SearchSpace) -> None:
    """In eval mode forward() changes neither weights and buffers nor the batch."""
    import torch

    arch = networks(space)[0]
    model, batch = loaded(space, arch), batch_of(space)
    kept = {name: tensor.clone() for name, tensor in (tensors_of(model) | batch_tensors(batch)).items()}
    forward(space, model, batch)
    for name, tensor in (tensors_of(model) | batch_tensors(batch)).items():
        require(
            torch.equal(tensor, kept[name]),
            f"forward() changes {name!r} from {safe_repr(few(kept[name]))} to {safe_repr(few(tensor))}; work on a copy",
        )


OUTPUT_CHECKS: tuple[Check, ...] = (
    outputs_are_finite,
    outputs_repeat,
    samples_do_not_couple,
    forward_changes_nothing,
)
