"""Batches and outputs: the inputs and outputs of networks, in the same form for all domains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

BatchKind = Literal["noise", "ones", "cost"]
"""``noise``: random inputs, with which most scores examine an untrained network; ``ones``: the constant batch of
synaptic scores; ``cost``: the smallest batch with which parameters and FLOPs can be counted, without masks."""


@dataclasses.dataclass(frozen=True, slots=True)
class OpenDimension:
    """A dimension of an input that may have any size, such as the frames of speech.

    Attributes:
        name: Name of the dimension. Dimensions of several inputs that have the same name have the same size.
        at_least: Smallest size.
        at_most: Largest size; None for any.
    """

    name: str
    at_least: int = 1
    at_most: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Inputs of a network. The first dimension of each tensor is the sample.

    Attributes:
        inputs: Tensors by the name under which `SearchSpace.forward` uses them, each (samples, ...).
        perturbable: Names of the continuous inputs to which a score may add noise.
        masks: Boolean tensors by name. True marks a position of an input or output that is not padding.
        lengths: Integer tensors (samples,) by name.
        positions: Number of positions in a sample, such as tokens or frames. To save memory, a pass runs only as many
            samples at once as have a few hundred positions together, if it can; 0: it runs all samples at once.
        units: How much data the batch holds, by unit, such as ``{"samples": 64}`` or ``{"audio_seconds": 320.0}``.
        open: Dimensions that may have any size in an export, by input and index of the dimension. The number of samples
            always may.
    """

    inputs: Mapping[str, Tensor]
    perturbable: tuple[str, ...] = ()
    masks: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    lengths: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    positions: int = 0
    units: Mapping[str, float] = dataclasses.field(default_factory=dict)
    open: Mapping[str, Mapping[int, OpenDimension]] = dataclasses.field(default_factory=dict)

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Batch:
        """Return the batch on `device`, with its floating-point inputs converted to `dtype`."""

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
    """The outputs of a network.

    Attributes:
        features: Last feature map before pooling or head, (samples, ...).
        logits: Outputs by name, each (samples, ...). A network without a head returns its features here.
        masks: Boolean tensors by the name of an output (or ``features``). True marks a position that is not padding.
    """

    features: Tensor
    logits: Mapping[str, Tensor]
    masks: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)


def continuous_batch(
    shape: tuple[int, ...], size: int, *, seed: int, kind: BatchKind, name: str = "x"
) -> Batch:
    """Return a batch of continuous inputs, such as images: standard normal noise, ones, or a tensor on meta.

    Args:
        shape: Shape of one sample, e.g. ``(3, 32, 32)``.
        size: Number of samples.
        seed: Seed of the noise. It is drawn on the CPU, so that every device gets the same numbers.
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
    """Return `mask`, which covers the first dimensions of `tensor`, so that it broadcasts over the other dimensions."""
    return mask.reshape(*mask.shape, *[1] * (tensor.dim() - mask.dim())).to(tensor)


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """Return one tensor with the samples of several tensors (samples, ...).

    If other dimensions differ, smaller tensors are filled with -1.
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
