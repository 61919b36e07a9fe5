"""Multi-head attention with AutoFormer's two-dimensional relative positions on keys and values."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .positions import PatchGrid


class Attention(nn.Module):
    """Multi-head self-attention; one fused projection computes queries, keys and values.

    Args:
        width: Number of features of a token.
        heads: Number of heads.
        head_size: Number of features of a head.
        table_rows: Number of rows in each table of relative positions; 0 for attention without them.
    """

    def __init__(self, width: int, heads: int, head_size: int, *, table_rows: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_size = head_size
        self.qkv = nn.Linear(width, 3 * heads * head_size)
        self.out = nn.Linear(heads * head_size, width)
        self.keys = RelativeTable(table_rows, head_size) if table_rows else None
        self.values = RelativeTable(table_rows, head_size) if table_rows else None

    def forward(self, x: Tensor, grid: PatchGrid | None) -> Tensor:
        """Return (samples, tokens, width); `grid` holds the positions of the tokens for relative positions."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, self.head_size)).permute(2, 0, 3, 1, 4)
        query = query * self.head_size**-0.5
        if grid is None or self.keys is None or self.values is None:
            y = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        else:
            # The query's products with each row, each column and the class token are appended to the query, and the
            # one-hot position of a key is appended to the key. The same position is appended to the values, so that the
            # result also contains attention summed by position. No tensor of tokens x tokens x head size is needed.
            places = grid.places.to(key.dtype).expand(*key.shape[:2], -1, -1)
            y = F.scaled_dot_product_attention(
                torch.cat([query, self.keys.compare(query, grid)], -1),
                torch.cat([key, places], -1),
                torch.cat([value, places], -1),
                scale=1.0,
            )
            y, sums = torch.split(y, [self.head_size, places.shape[-1]], -1)
            y = y + self.values.gather(sums, grid)
        return cast("Tensor", self.out(y.transpose(1, 2).flatten(2)))


class RelativeTable(nn.Module):
    """Learned vectors for offsets between tokens: one for the vertical plus one for the horizontal distance."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()
        self.vertical = nn.Parameter(torch.empty(rows, size))
        self.horizontal = nn.Parameter(torch.empty(rows, size))

    def compare(self, query: Tensor, grid: PatchGrid) -> Tensor:
        """Return the products of queries (samples, heads, tokens, size) with the vectors of their offsets, by position.

        The products for the class token are 0: all its offsets share one vector, and the softmax cancels a term that is
        the same for all keys.
        """
        patches = torch.unflatten(query[:, :, 1:], 2, (grid.side, grid.side))
        products = [
            torch.einsum("bhrcd,rkd->bhrck", patches, self.vertical[grid.entries].to(query.dtype)),
            torch.einsum("bhrcd,ckd->bhrck", patches, self.horizontal[grid.entries].to(query.dtype)),
            (patches @ self._of_token().to(query.dtype)).unsqueeze(-1),
        ]
        return F.pad(torch.cat(products, -1).flatten(2, 3), (0, 0, 1, 0))

    def gather(self, sums: Tensor, grid: PatchGrid) -> Tensor:
        """Return the sum of the vectors of all offsets, weighted by attention that was summed by position."""
        token = self._of_token().to(sums.dtype)
        patches = torch.unflatten(sums[:, :, 1:], 2, (grid.side, grid.side))
        vertical, horizontal, to_token = torch.split(patches, [grid.side, grid.side, 1], -1)
        gathered = (
            torch.einsum("bhrck,rkd->bhrcd", vertical, self.vertical[grid.entries].to(sums.dtype))
            + torch.einsum("bhrck,ckd->bhrcd", horizontal, self.horizontal[grid.entries].to(sums.dtype))
            + to_token * token
        )
        return torch.cat([token.expand(*sums.shape[:2], 1, -1), gathered.flatten(2, 3)], 2)

    def _of_token(self) -> Tensor:
        return self.vertical[0] + self.horizontal[0]
