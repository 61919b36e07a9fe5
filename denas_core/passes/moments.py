"""Second moments of what layers put out, kept as a few numbers a layer instead of the activations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from denas_core.values.passes import LayerMoments

from .layers import layer_of


class MomentRecorder:
    """Records `LayerMoments` of every layer that multiplies by one of `weights`."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Record calls with `weights`, by name."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self.moments: list[LayerMoments] = []

    def before(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Do nothing: only what comes out counts."""

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Look at the result of a call."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is not None and name is not None:
            outputs = result.detach()
            rows = outputs.movedim(1, -1) if layer.convolution is not None else outputs
            self.moments.append(moments_of(name, rows.reshape(-1, rows.shape[-1])))


def moments_of(parameter: str, rows: Tensor) -> LayerMoments:
    """Return the moments of `rows`, (rows, channels), about their mean."""
    count, channels = rows.shape
    centred = rows - rows.mean(0)
    # The smaller Gram matrix of the two: both have the same trace and the same sum of squares.
    gram = centred.T @ centred if channels <= count else centred @ centred.T
    gram = gram.double() / count
    return LayerMoments(
        parameter=parameter,
        rows=count,
        channels=channels,
        variance=float(torch.trace(gram)),
        square=float(gram.square().sum()),
    )
