"""Views say where the weights of a network are and which role each has, so that scores work with any network."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


KINDS = (
    *("conv", "ffn", "ffn.in", "ffn.out"),
    *("attention.q", "attention.k", "attention.v", "attention.out", "embed", "head"),
)
"""Kinds of weights. A role includes its parts: ``ffn`` includes ``ffn.in`` and ``ffn.out``."""

FEED_FORWARD = ("conv", "ffn", "head")
"""Roles of the weights that multiply features outside attention."""


@dataclasses.dataclass(frozen=True, slots=True)
class WeightView:
    """One weight matrix or kernel of a network. It can be a slice of a fused parameter, or transposed.

    Attributes:
        parameter: Name in ``model.named_parameters()``.
        kind: Role, one of `KINDS`. The first layer of a feed-forward block is ``ffn.in``, the last is ``ffn.out``. Any
            other linear layer, or one whose place in the block is unknown, is ``ffn``.
        layer: Index of the layer it belongs to, from 0 at the input.
        rows: ``(start, stop)`` of the output rows within the parameter; None for all.
        columns: ``(start, stop)`` of the input columns within the parameter; None for all.
        transposed: True if the parameter is stored as (in, out), like GPT-2's.
        trainable: False for weights that training does not change.
    """

    parameter: str
    kind: str
    layer: int
    rows: tuple[int, int] | None = None
    columns: tuple[int, int] | None = None
    transposed: bool = False
    trainable: bool = True

    def of(self, tensor: Tensor) -> Tensor:
        """Return the part of `tensor` that the view covers, as (out, in) or (out, in, kernel...).

        `tensor` has the shape of the parameter.
        """
        matrix = tensor.transpose(0, 1) if self.transposed else tensor
        if self.rows is not None:
            matrix = matrix[slice(*self.rows)]
        if self.columns is not None:
            matrix = matrix[:, slice(*self.columns)]
        return matrix

    def has_role(self, role: str) -> bool:
        """Return whether the view has a role: its kind, or a role that includes it, as ``ffn`` includes ``ffn.in``."""
        return is_part_of(self.kind, role)

    @property
    def is_attention(self) -> bool:
        """Whether the view is a projection of an attention layer."""
        return self.has_role("attention")

    @property
    def is_feed_forward(self) -> bool:
        """Whether the view multiplies features outside attention: convolutions, feed-forward layers, heads."""
        return any(map(self.has_role, FEED_FORWARD))


def is_part_of(kind: str, role: str) -> bool:
    """Return whether weights of `kind` have `role`: ``ffn.in`` has the roles ``ffn.in`` and ``ffn``."""
    return kind == role or kind.startswith(f"{role}.")


def views_by_module(model: nn.Module) -> list[WeightView]:
    """Return views for the plain PyTorch layers of `model`, in the order in which they are registered.

    Convolutions are ``conv``, the last linear layer is ``head``, other linear layers are ``ffn``, embeddings are
    ``embed``, and the parts of `torch.nn.MultiheadAttention` are ``attention.*``. A space whose layers have other roles
    overrides `SearchSpace.views`.
    """
    from torch import nn

    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    views: list[WeightView] = []
    inside_attention: tuple[str, ...] = ()
    for name, module in model.named_modules():
        weight = f"{name}.weight".lstrip(".")
        layer = len(views)
        if name.startswith(inside_attention) and inside_attention:
            continue
        if isinstance(module, nn.MultiheadAttention):
            prefix = f"{name}." if name else ""
            inside_attention += (prefix,)
            views += _attention_views(prefix, module, layer)
        elif isinstance(module, convolutions):
            views.append(WeightView(weight, "conv", layer))
        elif isinstance(module, nn.Linear):
            views.append(WeightView(weight, "ffn", layer))
        elif isinstance(module, nn.Embedding):
            views.append(WeightView(weight, "embed", layer))
    last = max((i for i, view in enumerate(views) if view.kind == "ffn"), default=None)
    if last is not None:
        views[last] = dataclasses.replace(views[last], kind="head")
    return views


def _attention_views(prefix: str, module: nn.MultiheadAttention, layer: int) -> list[WeightView]:
    width = module.embed_dim
    output = WeightView(f"{prefix}out_proj.weight", "attention.out", layer)
    if module.in_proj_weight is None:
        return [WeightView(f"{prefix}{part}_proj_weight", f"attention.{part}", layer) for part in "qkv"] + [
            output
        ]
    return [
        WeightView(f"{prefix}in_proj_weight", f"attention.{part}", layer, rows=(i * width, (i + 1) * width))
        for i, part in enumerate("qkv")
    ] + [output]
