"""Records second moments of the outputs of layers: a few numbers for each layer instead of its activations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from denas_core.values.passes import LayerMoments, Trace

from .layers import layer_of
from .recorder import Recorder


class MomentRecorder(Recorder):
    """Records `LayerMoments` of every layer that multiplies by one of `weights`."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Record the calls that use `weights`, by name."""
        self._names = {id(tensor): name for name, tensor in weights.items() if tensor.dim() > 1}
        self._moments: list[LayerMoments] = []

    def after(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Record the moments of the result of a layer."""
        layer = layer_of(func, args, kwargs)
        name = None if layer is None else self._names.get(id(layer.weight))
        if layer is not None and name is not None:
            outputs = result.detach()
            rows = outputs.movedim(1, -1) if layer.convolution is not None else outputs
            self._moments.append(moments_of(name, rows.reshape(-1, rows.shape[-1])))

    def finish(self, trace: Trace) -> Trace:
        """Return the trace with the moments."""
        return dataclasses.replace(trace, moments=tuple(self._moments))


def moments_of(parameter: str, rows: Tensor) -> LayerMoments:
    """Return the moments of `rows`, (rows, channels), about their mean."""
    count, channels = rows.shape
    centred = rows - rows.mean(0)
    # Both Gram matrices have the same trace and the same sum of squares, so the smaller one is enough.
    gram = centred.T @ centred if channels <= count else centred @ centred.T
    gram = gram.double() / count
    return LayerMoments(
        parameter=parameter,
        rows=count,
        channels=channels,
        variance=float(torch.trace(gram)),
        square=float(gram.square().sum()),
    )
