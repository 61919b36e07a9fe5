"""The encoder: from the features of the front-end to frames that know each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from torch import Tensor, nn

from .positions import add_positions


class Encoder(nn.Module):
    """A projection to the encoder's width, sinusoidal positions, blocks, and a norm behind them.

    Args:
        inputs: Features of a frame.
        width: Features that blocks take and return.
        blocks: Take (samples, frames, width), and a mask (samples, frames) or None where every frame counts.
        norm: Takes (samples, frames, width).
        dropout: Of what goes into the blocks.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"projection": ("embed",)}

    def __init__(
        self, inputs: int, width: int, blocks: Iterable[nn.Module], norm: nn.Module, *, dropout: float
    ) -> None:
        super().__init__()
        self.projection = nn.Linear(inputs, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(blocks)
        self.norm = norm

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width); `mask`, (samples, frames), is True where a frame counts."""
        # A block's input has no other name, so that each block finds as much memory in use as the first.
        x = add_positions(self.dropout(self.projection(x)))
        for block in self.blocks:
            x = block(x, mask)
        return cast("Tensor", self.norm(x))
