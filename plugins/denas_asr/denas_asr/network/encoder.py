"""The encoder: it turns the front-end's features into frames that depend on the whole utterance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from torch import Tensor, nn

from .positions import add_positions


class Encoder(nn.Module):
    """A projection to the encoder's width, sinusoidal positions, blocks, and a final norm.

    Args:
        inputs: Number of features of a frame from the front-end.
        width: Number of features that blocks take and return.
        blocks: Modules that take (samples, frames, width) and a mask (samples, frames); None if every frame is valid.
        norm: The final norm; it takes (samples, frames, width).
        dropout: Dropout rate of the input of the blocks.
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
        """Return (samples, frames, width); `mask`, (samples, frames), is True for valid frames."""
        # No other variable refers to a block's input, so that its memory is freed and every block runs with as much
        # memory in use as the first.
        x = add_positions(self.dropout(self.projection(x)))
        for block in self.blocks:
            x = block(x, mask)
        return cast("Tensor", self.norm(x))
