"""Relative positions of image patches: the row of a table for the offset from one patch to another."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True, slots=True)
class PatchGrid:
    """The positions of a class token and of ``side * side`` patches, row by row.

    Attributes:
        side: Number of patches in a row and in a column.
        entries: (side, side): the row of a table for the offset from one row of patches to another, and likewise for
            columns. Row 0 of a table is for offsets from or to the class token.
        places: (1 + side * side, 2 side + 1): for each token, 1 at its row and its column, or at the last index for the
            class token; 0 elsewhere.
    """

    side: int
    entries: Tensor
    places: Tensor

    @classmethod
    def like(cls, tensor: Tensor, *, side: int, max_distance: int) -> PatchGrid:
        """Return the grid on the device and in the precision of `tensor`; distances are limited to `max_distance`."""
        steps = torch.arange(side, device=tensor.device)
        distance = (steps[None, :] - steps[:, None]).clamp(-max_distance, max_distance)
        eye = torch.eye(side, device=tensor.device, dtype=tensor.dtype)
        patches = torch.cat(
            [eye.repeat_interleave(side, 0), eye.repeat(side, 1), eye.new_zeros(side * side, 1)], 1
        )
        token = torch.cat([eye.new_zeros(1, 2 * side), eye.new_ones(1, 1)], 1)
        return cls(side, distance + max_distance + 1, torch.cat([token, patches]))


def table_rows(max_distance: int) -> int:
    """Return the number of rows of a table: each distance in both directions, distance 0, and the class token."""
    return 2 * max_distance + 2
