"""Two-dimensional relative positions, as AutoFormer has them on keys and on values."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from denas_bench.layers import STD

LONGEST = 14
"""Longest distance between patches, in patches, that has a vector of its own."""

ROWS = 2 * LONGEST + 2
"""Rows of a table: each distance in both directions, distance 0, and in row 0 those from and to the class token."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ways:
    """Rows of the tables for each pair of tokens, the class token first, (tokens, tokens).

    Attributes:
        vertical: Rows of the way from one row of patches to another.
        horizontal: Rows of the way from one column to another.
    """

    vertical: Tensor
    horizontal: Tensor

    @classmethod
    def of(cls, side: int, device: torch.device) -> Ways:
        """Return the ways between ``side * side`` patches."""
        places = torch.arange(side * side, device=device)

        def rows(coordinate: Tensor) -> Tensor:
            distance = (coordinate[None, :] - coordinate[:, None]).clamp(-LONGEST, LONGEST)
            return nn.functional.pad(distance + LONGEST + 1, (1, 0, 1, 0))

        return cls(rows(places // side), rows(places % side))


class RelativeTables(nn.Module):
    """Learned vectors for ways between tokens: the sum of one for the vertical and one for the horizontal way."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.vertical = nn.Parameter(torch.empty(ROWS, size))
        self.horizontal = nn.Parameter(torch.empty(ROWS, size))

    def reset_parameters(self) -> None:
        """Draw the vectors."""
        with torch.no_grad():
            self.vertical.normal_(0.0, STD)
            self.horizontal.normal_(0.0, STD)

    def forward(self, ways: Ways) -> Tensor:
        """Return (tokens, tokens, size)."""
        return self.vertical[ways.vertical] + self.horizontal[ways.horizontal]
