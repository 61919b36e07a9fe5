"""The network and batch of a pass, the parts of the batch, and the scalar that the pass differentiates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from denas_core.errors import ScoreFailed
from denas_core.seeding import derive_seed
from denas_core.values.batch import expand_mask

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.batch import Batch, Outputs
    from denas_core.values.passes import PassSpec
    from denas_core.values.views import WeightView


POSITIONS_AT_ONCE = 512
"""Positions of a part of a batch: its activations stay small, and products of matrices are as fast as with more."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The network, the batch and everything else that a pass needs.

    Attributes:
        network: Returns the network, on the CPU and in eval mode; it is shared, and the pass leaves it as it is.
        weights: Returns its parameters and buffers by name, on the device and in the precision of the pass.
        batch: Returns the inputs, likewise.
        forward: Runs the network on the inputs.
        views: Returns where the weights are, by role.
        blocks: Returns the names of the modules that are its blocks.
        device: ``cpu`` or ``cuda``.
        seed: Seed of the fixed cotangent of the read-out.
        statistics: Mean and inverse deviation of each batch norm in the order of calls, which replace those of the
            batch; None for those of the batch.
        losses: Returns the loss of each sample for the outputs of a part, and the number of its first sample; it
            replaces the cross entropy with random labels. None for random labels.
    """

    network: Callable[[], nn.Module]
    weights: Callable[[], dict[str, Tensor]]
    batch: Callable[[], Batch]
    forward: Callable[[nn.Module, Batch], Outputs]
    views: Callable[[], Sequence[WeightView]]
    blocks: Callable[[], Sequence[str]] = tuple
    device: str = "cpu"
    seed: int = 0
    statistics: Sequence[tuple[Tensor, Tensor]] | None = None
    losses: Callable[[Outputs, int], Tensor] | None = None


def parts_of(batch: Batch, size: int) -> list[Batch]:
    """Return a batch of `size` samples as several of about `POSITIONS_AT_ONCE`; whole if it counts no positions."""
    step = samples_of_a_part(batch.positions, size)
    if step == size:
        return [batch]

    def part(tensors: Mapping[str, Tensor], start: int) -> dict[str, Tensor]:
        return {name: tensor[start : start + step] for name, tensor in tensors.items()}

    return [
        dataclasses.replace(
            batch,
            inputs=part(batch.inputs, start),
            masks=part(batch.masks, start),
            lengths=part(batch.lengths, start),
        )
        for start in range(0, size, step)
    ]


def samples_of_a_part(positions: int, size: int) -> int:
    """Return how many samples of so many positions are run at once of a batch of `size`; all, if there are none."""
    return min(size, max(1, POSITIONS_AT_ONCE // positions)) if positions else size


def readout_of(
    outputs: Outputs,
    spec: PassSpec,
    *,
    seed: int,
    first: int = 0,
    losses: Callable[[Outputs, int], Tensor] | None = None,
) -> Tensor:
    """Return the read-out of each sample; the pass differentiates the sum of these.

    The cotangent is one tensor for all samples and repeats, and for all candidates with outputs of its shape. Random
    labels are the same for all candidates with outputs of their shape.

    Args:
        outputs: The outputs of the network for a part of the batch of `spec`.
        spec: The pass.
        seed: Seed of the cotangent and of random labels.
        first: Number of the first sample of the part.
        losses: See `Subject.losses`.

    Raises:
        ScoreFailed: the read-out is a cross entropy, and the network has a single output.
    """
    import torch

    if losses is not None and spec.readout == "cross entropy":
        return losses(outputs, first) / spec.size
    parts = []
    for name, logits in outputs.logits.items():
        if spec.readout == "cross entropy":
            parts.append(_cross_entropy(logits, outputs.masks.get(name), spec, name, seed=seed, first=first))
            continue
        if spec.readout == "cotangent":
            cotangent = standard_normal(
                tuple(logits.shape[1:]), seed=derive_seed(seed, "cotangent", name), double=True
            )
            logits = logits * cotangent.to(logits)
        if name in outputs.masks:
            logits = logits * expand_mask(outputs.masks[name], logits)
        parts.append(logits.flatten(1).sum(1))
    return torch.stack(parts).sum(0)


def _cross_entropy(
    logits: Tensor, mask: Tensor | None, spec: PassSpec, name: str, *, seed: int, first: int
) -> Tensor:
    """Return the share of each sample in the mean cross entropy of a batch with random labels."""
    import torch
    from torch.nn import functional as F

    # The loss functions of torch expect classes second, as in (samples, classes, height, width). Layers of sequences
    # put them last.
    classes = logits.movedim(-1, 1) if logits.dim() == 3 else logits
    if classes.dim() < 2 or classes.shape[1] < 2:
        raise ScoreFailed("the network has a single output, and a cross entropy needs two classes")
    labels = torch.randint(
        0,
        classes.shape[1],
        (spec.size, *classes.shape[2:]),
        generator=torch.Generator().manual_seed(derive_seed(seed, "labels", name, spec.repeat, spec.batch)),
    )
    labels = labels[first : first + len(classes)].to(classes.device)
    losses = F.cross_entropy(classes, labels, reduction="none").reshape(len(classes), -1)
    if mask is None or mask.dim() != classes.dim() - 1:
        return losses.mean(1) / spec.size
    counts = mask.reshape(len(classes), -1).to(losses)
    return (losses * counts).sum(1) / counts.sum(1).clamp(min=1) / spec.size


def standard_normal(shape: tuple[int, ...], *, seed: int, double: bool = False) -> Tensor:
    """Return standard normal numbers, drawn on the CPU so that every device sees the same ones."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64 if double else torch.float32)
