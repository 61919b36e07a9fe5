"""Batches and outputs: the one way data goes into a network of any domain, and comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

BatchKind = Literal["noise", "ones", "cost"]
"""``noise``: what an untrained network is probed with; ``ones``: the constant batch of synaptic scores; ``cost``: the
smallest batch that counts parameters and FLOPs, without masks."""


@dataclasses.dataclass(frozen=True, slots=True)
class OpenDimension:
    """A dimension of an input that may have any size, such as the frames of speech.

    Attributes:
        name: Dimensions of the same name, of several inputs, have the same size.
        at_least: Smallest size.
    """

    name: str
    at_least: int = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Inputs of a network, sample first.

    Attributes:
        inputs: Tensors by the name under which `SearchSpace.forward` uses them, each (samples, ...).
        perturbable: Names of the continuous inputs to which a score may add noise.
        masks: Boolean tensors, True where an input or output position counts, by name.
        lengths: Integer tensors (samples,) by name.
        positions: Positions of a sample, such as tokens or frames. Where it can, a pass runs as many samples at once as
            have a few hundred; 0: all samples.
        units: What one batch holds, by unit, e.g. ``{"samples": 64}`` or ``{"audio_seconds": 320.0}``.
        open: By input and place, its dimensions that may have any size, beside the number of samples: exports leave
            them open.
    """

    inputs: Mapping[str, Tensor]
    perturbable: tuple[str, ...] = ()
    masks: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    lengths: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    positions: int = 0
    units: Mapping[str, float] = dataclasses.field(default_factory=dict)
    open: Mapping[str, Mapping[int, OpenDimension]] = dataclasses.field(default_factory=dict)

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Batch:
        """Return the batch on `device`, its floating-point inputs as `dtype`."""

        def moved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {
                name: tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
                for name, tensor in tensors.items()
            }

        return dataclasses.replace(
            self, inputs=moved(self.inputs), masks=moved(self.masks), lengths=moved(self.lengths)
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a network returns.

    Attributes:
        features: Last feature map before pooling or head, (samples, ...).
        logits: Outputs by name, each (samples, ...); a network without a head gives its features.
        masks: By the name of an output (or ``features``): True where a position counts.
    """

    features: Tensor
    logits: Mapping[str, Tensor]
    masks: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)


def continuous_batch(
    shape: tuple[int, ...], size: int, *, seed: int, kind: BatchKind, name: str = "x"
) -> Batch:
    """Return a batch of continuous inputs, such as images: standard normal noise, all ones, or zeros on meta.

    Args:
        shape: Shape of one sample, e.g. ``(3, 32, 32)``.
        size: Samples in the batch.
        seed: Seed of the noise; drawn on the CPU, so that every device sees the same numbers.
        kind: See `BatchKind`.
        name: Name of the input.
    """
    import torch

    full = (size, *shape)
    if kind == "noise":
        tensor = torch.randn(full, generator=torch.Generator().manual_seed(seed))
    elif kind == "ones":
        tensor = torch.ones(full)
    else:
        tensor = torch.empty(full, device="meta")
    return Batch(inputs={name: tensor}, perturbable=(name,), units={"samples": float(size)})


def expand_mask(mask: Tensor, tensor: Tensor) -> Tensor:
    """Return `mask`, which covers the leading dimensions of `tensor`, so that it broadcasts over the others."""
    return mask.reshape(*mask.shape, *[1] * (tensor.dim() - mask.dim())).to(tensor)


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """Return the samples of several tensors (samples, ...) in one.

    Other dimensions become as large as the largest; what was not there is -1.
    """
    import torch

    shape = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    if all(list(tensor.shape[1:]) == shape for tensor in tensors):
        return torch.cat(list(tensors))
    whole = tensors[0].new_full((sum(map(len, tensors)), *shape), -1)
    start = 0
    for tensor in tensors:
        place = (slice(start, start + len(tensor)), *(slice(size) for size in tensor.shape[1:]))
        whole[place] = tensor
        start += len(tensor)
    return whole
