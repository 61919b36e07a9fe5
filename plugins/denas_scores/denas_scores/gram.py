"""Gram matrices of per-sample weight gradients, from what went into a layer and the gradient of what came out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn import grad as weight_gradients

from denas_core import LayerCall, WeightView

LARGEST_BLOCK = 2**24
"""Elements of the largest temporary tensor of a linear layer; per-sample gradients are made in blocks of this size."""

FEW_POSITIONS = 128
"""Up to this many output positions, one product a row of the kernel is faster than the grouped weight-gradient."""

Slice = tuple[int, int] | None


def gram_of_views(calls: Sequence[LayerCall], views: Iterable[WeightView]) -> Tensor:
    """Return the float64 matrix of <g_i, g_j>, with g_i the gradient of sample i's read-out by the viewed weights.

    Args:
        calls: All calls of one parameter; its gradient is their sum.
        views: Parts of that parameter; each distinct part counts once.
    """
    gram = torch.zeros((), dtype=torch.float64, device=calls[0].inputs.device)
    for rows, columns in merged_slices(views):
        if calls[0].convolution is None:
            gram = gram + _linear_gram(calls, rows, columns)
        elif len(calls) == 1:
            gram = gram + _convolution_gram(calls[0], rows, columns)
        else:
            gradient = torch.stack([_convolution_gradients(call) for call in calls]).sum(0)
            gram = gram + gram_of_gradients(part_of(gradient, rows, columns))
    return gram


def gram_of_gradients(gradients: Tensor) -> Tensor:
    """Return the float64 Gram matrix of `gradients`, (samples, ...)."""
    flat = gradients.flatten(1)
    return (flat @ flat.T).double()


def merged_slices(views: Iterable[WeightView]) -> list[tuple[Slice, Slice]]:
    """Return the distinct parts that `views` name, adjoining rows as one, so that a fused projection is one product."""
    parts = {(view.rows, view.columns) for view in views}
    if (None, None) in parts:
        return [(None, None)]
    merged: list[tuple[Slice, Slice]] = []
    for rows, columns in sorted(parts, key=_by_columns):
        last = merged[-1] if merged else None
        if last and rows and last[0] and last[1] == columns and last[0][1] == rows[0]:
            merged[-1] = ((last[0][0], rows[1]), columns)
        else:
            merged.append((rows, columns))
    return merged


def part_of(gradients: Tensor, rows: Slice, columns: Slice) -> Tensor:
    """Return the rows and columns of each sample's gradient, (samples, out, in, ...)."""
    return gradients[:, _slice(rows)][:, :, _slice(columns)]


def _by_columns(part: tuple[Slice, Slice]) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = part
    return columns or (-1, -1), rows or (-1, -1)


def _linear_gram(calls: Sequence[LayerCall], rows: Slice, columns: Slice) -> Tensor:
    # Calls of one weight add up like positions of one call.
    inputs = torch.cat([_positions(call.inputs) for call in calls], 1)[..., _slice(columns)]
    gradients = torch.cat([_positions(call.output_gradient) for call in calls], 1)[..., _slice(rows)]
    return _position_gram(inputs, gradients)


def _positions(tensor: Tensor) -> Tensor:
    return tensor.reshape(tensor.shape[0], -1, tensor.shape[-1])


def _position_gram(inputs: Tensor, gradients: Tensor) -> Tensor:
    """Return the Gram matrix for `inputs` (samples, positions, in) and output `gradients` (samples, positions, out)."""
    samples, positions, width_in = inputs.shape
    width_out = gradients.shape[-1]
    pairs = (samples * positions) ** 2
    by_pairs = pairs * (width_in + width_out)
    by_gradients = samples * (positions + samples) * width_in * width_out
    if positions == 1 or (by_pairs < by_gradients and pairs <= LARGEST_BLOCK):
        a, g = inputs.reshape(-1, width_in), gradients.reshape(-1, width_out)
        products = (a @ a.T) * (g @ g.T)
        return products.view(samples, positions, samples, positions).sum((1, 3), dtype=torch.float64)
    block = max(1, LARGEST_BLOCK // (samples * width_in))
    gram = torch.zeros(samples, samples, dtype=torch.float64, device=inputs.device)
    for start in range(0, width_out, block):
        gram += gram_of_gradients(torch.bmm(gradients[..., start : start + block].transpose(1, 2), inputs))
    return gram


def _convolution_gram(call: LayerCall, rows: Slice, columns: Slice) -> Tensor:
    convolution = call.convolution
    assert convolution is not None
    is_small = (
        math.prod(call.output_gradient.shape[2:]) <= FEW_POSITIONS or math.prod(convolution.kernel) == 1
    )
    if convolution.groups > 1 or not is_small:
        return gram_of_gradients(part_of(_convolution_gradients(call), rows, columns))
    gradients = call.output_gradient[:, _slice(rows)].movedim(1, -1).flatten(1, -2)
    inputs = _padded(call)[:, _slice(columns)].movedim(1, -1)
    gram = torch.zeros((), dtype=torch.float64, device=inputs.device)
    *outer, inner = convolution.kernel
    for offset in itertools.product(*map(range, outer)):
        seen = [_seen_by(inputs, (*offset, last), call) for last in range(inner)]
        patches = torch.cat(seen, -1) if inner > 1 else seen[0]
        gram = gram + _position_gram(patches.flatten(1, -2), gradients)
    return gram


def _seen_by(inputs: Tensor, offset: Sequence[int], call: LayerCall) -> Tensor:
    """Return what the weight at `offset` of the kernel sees of padded `inputs`, (samples, positions..., channels)."""
    convolution = call.convolution
    assert convolution is not None
    for dim, steps in enumerate(call.output_gradient.shape[2:]):
        first, stride = offset[dim] * convolution.dilation[dim], convolution.stride[dim]
        inputs = inputs.narrow(1 + dim, first, stride * (steps - 1) + 1)
        inputs = inputs[(slice(None),) * (1 + dim) + (slice(None, None, stride),)]
    return inputs


def _convolution_gradients(call: LayerCall) -> Tensor:
    """Return each sample's gradient, (samples, out, in / groups, kernel...), by one kernel with a group a sample."""
    convolution = call.convolution
    assert convolution is not None
    samples, channels = call.inputs.shape[:2]
    outputs = call.output_gradient.shape[1]
    per_group = channels // convolution.groups
    paddings = convolution.padding
    symmetric = all(before == after for before, after in paddings)
    inputs = call.inputs if symmetric else _padded(call)
    kernels = (weight_gradients.conv1d_weight, weight_gradients.conv2d_weight, weight_gradients.conv3d_weight)
    weight_gradient = kernels[len(convolution.kernel) - 1]
    gradient: Tensor = weight_gradient(  # type: ignore[no-untyped-call]
        inputs.reshape(1, samples * channels, *inputs.shape[2:]),
        (samples * outputs, per_group, *convolution.kernel),
        call.output_gradient.reshape(1, samples * outputs, *call.output_gradient.shape[2:]),
        stride=convolution.stride,
        padding=tuple(before for before, _ in paddings) if symmetric else (0,) * len(paddings),
        dilation=convolution.dilation,
        groups=samples * convolution.groups,
    )
    return gradient.view(samples, outputs, per_group, *convolution.kernel)


def _padded(call: LayerCall) -> Tensor:
    assert call.convolution is not None
    sizes = [size for pair in reversed(call.convolution.padding) for size in pair]
    return F.pad(call.inputs, sizes) if any(sizes) else call.inputs


def _slice(bounds: Slice) -> slice:
    return slice(None) if bounds is None else slice(*bounds)
