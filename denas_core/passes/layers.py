"""Recognises the layers among the functions that a network calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F

from denas_core.values.passes import Convolution

CONVOLUTIONS = frozenset({F.conv1d, F.conv2d, F.conv3d})
MULTIPLICATIONS: Mapping[Any, int] = {
    torch.matmul: 0,
    torch.Tensor.matmul: 0,
    torch.Tensor.__matmul__: 0,
    torch.addmm: 1,
}
"""Position of the input among the arguments; the matrix, stored as (in, out), comes after it."""


class Layer(NamedTuple):
    """A call that multiplies by a matrix or a kernel; `transposed` if the matrix is stored as (in, out)."""

    input: Tensor
    weight: Tensor
    convolution: Convolution | None
    transposed: bool


def layer_of(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Layer | None:
    """Return the linear or convolutional layer that a call of a torch function computes, or None if it is another."""
    if func is F.linear:
        input, weight = arguments_of(args, kwargs, "input", "weight")
        return Layer(input, weight, convolution=None, transposed=False)
    if func in CONVOLUTIONS:
        input, weight, convolution = _bind_convolution(*args, **kwargs)
        return Layer(input, weight, convolution=convolution, transposed=False)
    # Named arguments may multiply the product by a factor, such as that of addmm.
    if func in MULTIPLICATIONS and len(args) > MULTIPLICATIONS[func] + 1 and not kwargs:
        input, weight = args[MULTIPLICATIONS[func] :][:2]
        return Layer(input, weight, convolution=None, transposed=True)
    return None


def with_flat_input(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], layer: Layer, *, weight: Tensor | None = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the call of `layer` with an input of two dimensions if it is a matrix product.

    With more dimensions, a linear layer returns a view, and an activation in place would take the view out of the
    graph.

    Args:
        args: The positional arguments of the call.
        kwargs: The named arguments of the call.
        layer: The layer that is called.
        weight: Replaces the weight of the layer.
    """
    rows = layer.input if _is_flat(layer) else layer.input.reshape(-1, layer.input.shape[-1])
    changed = {id(layer.input): rows, id(layer.weight): layer.weight if weight is None else weight}
    return (
        tuple(changed.get(id(value), value) for value in args),
        {name: changed.get(id(value), value) for name, value in kwargs.items()},
    )


def output_edge(layer: Layer, output: Tensor, anchor: Tensor) -> tuple[GradientEdge, Tensor]:
    """Return the edge at which gradients with respect to the output of a layer can be taken, and the output.

    Args:
        layer: The layer, as the network called it.
        output: Its output for the arguments of `with_flat_input`.
        anchor: A leaf. An output that depends on nothing differentiable is made to depend on it.
    """
    if not output.requires_grad:
        output = _Anchored.apply(output, anchor)  # type: ignore[no-untyped-call]
    # After an activation in place, the tensor would stand for the result of the activation; the edge does not change.
    edge = get_gradient_edge(output)
    return edge, output if _is_flat(layer) else output.view(*layer.input.shape[:-1], output.shape[-1])


def _is_flat(layer: Layer) -> bool:
    return layer.convolution is not None or layer.input.dim() == 2


def arguments_of(args: tuple[Any, ...], kwargs: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Return the first arguments of a call, which may be given by position or by `names`."""
    return tuple(args[i] if i < len(args) else kwargs[name] for i, name in enumerate(names))


class _Anchored(torch.autograd.Function):
    """Makes a tensor that depends on nothing differentiable depend on a leaf.

    The tensor itself does not become a leaf, because a leaf would not survive an activation in place.
    """

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, anchor: Tensor) -> Tensor:
        ctx.mark_dirty(tensor)
        return tensor

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def _bind_convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> tuple[Tensor, Tensor, Convolution]:
    kernel = tuple(weight.shape[2:])
    dilations = _each(dilation, len(kernel))
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        paddings = tuple((total // 2, total - total // 2) for total in totals)
    else:
        paddings = tuple((p, p) for p in _each(0 if isinstance(padding, str) else padding, len(kernel)))
    convolution = Convolution(
        kernel=kernel, stride=_each(stride, len(kernel)), padding=paddings, dilation=dilations, groups=groups
    )
    return input, weight, convolution


def _each(value: int | Sequence[int], dimensions: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * dimensions if len(values) == 1 else values
