"""The projections of a checkpoint that can have an adapter: linear layers of attention and of feed-forward layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from denas_core import WeightView
from denas_core.errors import did_you_mean

if TYPE_CHECKING:
    from torch import nn

NAMES = {
    "attention.q": "query",
    "attention.k": "key",
    "attention.v": "value",
    "attention.out": "output",
    "ffn.in": "up",
    "ffn.out": "down",
}
"""The name of a projection by the kind of its weight."""

BLOCKS = {"attention": ("query", "key", "value", "output"), "feed_forward": ("up", "down")}
"""The names of projections by the block of a layer to which they belong."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A linear layer of the checkpoint.

    Attributes:
        module: Its name in the base model.
        name: What it computes: one of `NAMES`, or several joined by ``_`` if one layer computes all of them.
        kind: The kind of its weight, see `denas_core.WeightView`; the first one if it has several.
        layer: The layer of the network, from 1.
        inputs: Number of features that it reads.
        outputs: Number of features that it writes.
        is_transposed: Whether its weight is stored as (inputs, outputs).
    """

    module: str
    name: str
    kind: str
    layer: int
    inputs: int
    outputs: int
    is_transposed: bool

    @property
    def block(self) -> str:
        """The block of its layer: ``attention`` or ``feed_forward``."""
        first = self.name.split("_")[0]
        return next(block for block, names in BLOCKS.items() if first in names)


def projections_of(base: nn.Module, views: Iterable[WeightView]) -> tuple[Projection, ...]:
    """Return the projections of a base model, in the order of its layers.

    Args:
        base: The base model, without adapters.
        views: The places of its weights.
    """
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    kinds: dict[str, list[WeightView]] = {}
    for view in views:
        if view.kind in NAMES and view.parameter.endswith(".weight"):
            kinds.setdefault(view.parameter.removesuffix(".weight"), []).append(view)
    found = []
    for module, parts in kinds.items():
        layer = base.get_submodule(module)
        if not isinstance(layer, (nn.Linear, Conv1D)):
            continue
        is_transposed = isinstance(layer, Conv1D)
        shape = layer.weight.shape[::-1] if is_transposed else layer.weight.shape
        found.append(
            Projection(
                module=module,
                name="_".join(NAMES[part.kind] for part in parts),
                kind=parts[0].kind,
                layer=parts[0].layer,
                inputs=shape[1],
                outputs=shape[0],
                is_transposed=is_transposed,
            )
        )
    return tuple(sorted(found, key=lambda projection: projection.layer))


def chosen_projections(found: Sequence[Projection], names: Sequence[str]) -> tuple[Projection, ...]:
    """Return the projections with one of the `names`; all of them if `names` is empty.

    Raises:
        ValueError: the checkpoint has no projection of such a name, or none at all.
    """
    known = list(dict.fromkeys(projection.name for projection in found))
    if not known:
        raise ValueError("this checkpoint has no linear layer that can have an adapter; choose another model")
    for name in names:
        if name not in known:
            raise ValueError(
                f"projections names {name!r}, which this checkpoint does not have{did_you_mean(name, known)}; it has "
                f"{', '.join(known)}"
            )
    return tuple(projection for projection in found if not names or projection.name in names)
