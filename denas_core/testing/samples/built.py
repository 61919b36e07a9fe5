"""Networks and batches of a space, as checks use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denas_core.testing.check import CheckSkipped, require
from denas_core.text import type_name

from .members import ends, samples

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.contracts.space import SearchSpace, Variant
    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch, Outputs

SIZE = 3
"""Samples of a batch."""


def structure(
    space: SearchSpace, arch: Architecture, *, device: str = "meta", variant: Variant = "full"
) -> nn.Module:
    """Return the network of `arch` without weights.

    Raises:
        CheckSkipped: the space builds none.
    """
    import torch

    from .surroundings import restored

    try:
        # On the CPU constructors draw weights from the global generator, which `load` replaces.
        with restored(), torch.device(device):
            return space.build(arch, variant=variant)
    except NotImplementedError as error:
        raise CheckSkipped(f"it builds no networks: {error}") from error


def loaded(space: SearchSpace, arch: Architecture, *, seed: int = 0, variant: Variant = "full") -> nn.Module:
    """Return the network of `arch` with weights, in eval mode."""
    return space.load(structure(space, arch, variant=variant), arch, seed=seed).eval()


def networks(space: SearchSpace) -> list[Architecture]:
    return [ends(space)[0], samples(space, 1)[0]]


def batch_of(space: SearchSpace, *, size: int = SIZE, seed: int = 0, kind: Any = "noise") -> Batch:
    try:
        batch = space.batch(size, seed=seed, kind=kind)
    except NotImplementedError as error:
        raise CheckSkipped(f"it has no batches: {error}") from error
    from denas_core.values.batch import Batch

    require(
        isinstance(batch, Batch),
        f"batch() returns a {type_name(batch)}; return a denas_core.Batch, e.g. by continuous_batch(...)",
    )
    return batch


def forward(space: SearchSpace, model: nn.Module, batch: Batch) -> Outputs:
    import torch

    with torch.no_grad():
        return space.forward(model, batch)


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    return dict((*model.named_parameters(), *model.named_buffers()))


def batch_tensors(batch: Batch) -> dict[str, Tensor]:
    fields = {"inputs": batch.inputs, "masks": batch.masks, "lengths": batch.lengths}
    return {
        f"{field}.{name}": tensor for field, content in fields.items() for name, tensor in content.items()
    }


def output_tensors(outputs: Outputs) -> dict[str, Tensor]:
    return {"features": outputs.features} | {
        f"logits {name!r}": tensor for name, tensor in outputs.logits.items()
    }


def few(tensor: Tensor) -> Any:
    return f"on {tensor.device}" if tensor.is_meta else tensor.flatten()[:3].tolist()
