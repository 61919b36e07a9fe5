"""The networks of a space, their batches and outputs, as checks use them."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.space import SearchSpace, Variant
from denas_core.isolation.guard import restored
from denas_core.testing.check import CheckSkipped, fail
from denas_core.text import type_name
from denas_core.values.architecture import Architecture
from denas_core.values.batch import Batch, BatchKind, Outputs

from .members import ends, samples, text

if TYPE_CHECKING:
    from torch import Tensor, nn

SIZE = 3
"""Samples of a batch."""


@dataclasses.dataclass(frozen=True)
class Network:
    """A network of a space that is tried."""

    space: SearchSpace
    arch: Architecture

    def __str__(self) -> str:
        return text(self.arch)

    def build(self, device: str = "meta", variant: Variant = "full") -> nn.Module:
        """Return the structure without weights; skip the check of a space that builds no networks."""
        import torch

        # On the CPU constructors draw weights from the global generator, which `load` replaces.
        with restored() if device == "cpu" else contextlib.nullcontext(), torch.device(device):
            try:
                return self.space.build(self.arch, variant=variant)
            except NotImplementedError as error:
                raise CheckSkipped(f"it builds no networks: {error}") from error

    def load(
        self,
        model: nn.Module | None = None,
        *,
        seed: int = 0,
        variant: Variant = "full",
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Return a structure, by default one from the meta device, with weights, in eval mode."""
        model = self.build(variant=variant) if model is None else model
        return self.space.load(model, self.arch, seed=seed, weights=weights).eval()

    def outputs(
        self, model: nn.Module | None = None, batch: Batch | None = None, *, variant: Variant = "full"
    ) -> dict[str, Tensor]:
        """Return the outputs for a batch, both by default those of seed 0, by name."""
        import torch

        model = self.load(variant=variant) if model is None else model
        with torch.no_grad():
            found: Outputs = self.space.forward(model, batch_of(self.space) if batch is None else batch)
        if not found.logits:
            fail("forward() returns no logits; name at least one output")
        return {"features": found.features} | {f"logits {k!r}": tensor for k, tensor in found.logits.items()}


def networks(space: SearchSpace, spaces: object = ()) -> list[Network]:
    """Return the networks that are tried: the smallest one and a sample."""
    return [Network(space, ends(space)[0]), Network(space, samples(space, 1)[0])]


def smallest(space: SearchSpace, spaces: object = ()) -> list[Network]:
    """Return the smallest network alone."""
    return networks(space)[:1]


def batch_of(space: SearchSpace, *, size: int = SIZE, seed: int = 0, kind: BatchKind = "noise") -> Batch:
    """Return a batch of a space; skip the check of a space without batches."""
    try:
        batch = space.batch(size, seed=seed, kind=kind)
    except NotImplementedError as error:
        raise CheckSkipped(f"it has no batches: {error}") from error
    if not isinstance(batch, Batch):
        fail(f"batch() returns a {type_name(batch)}; return a denas_core.Batch, e.g. continuous_batch(...)")
    return batch


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name."""
    return dict((*model.named_parameters(), *model.named_buffers()))


def contents_of(model: nn.Module) -> dict[str, Any]:
    """Return what a network is made of: tensors, and the modes of its modules, by name."""
    modes = {f"{name}.training": module.training for name, module in model.named_modules()}
    return {**tensors_of(model), **modes}


def batch_tensors(batch: Batch) -> dict[str, Tensor]:
    """Return the tensors of a batch by name."""
    fields = {"inputs": batch.inputs, "masks": batch.masks, "lengths": batch.lengths}
    return {
        f"{field}.{name}": tensor for field, content in fields.items() for name, tensor in content.items()
    }


def shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of tensors by name."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
