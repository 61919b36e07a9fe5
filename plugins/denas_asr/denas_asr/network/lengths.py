"""How long samples are: after subsampling, and as masks."""

from __future__ import annotations

import torch
from torch import Tensor


def lengths_after_stride(lengths: Tensor) -> Tensor:
    """Return the positions that a convolution of stride 2 with padding as wide as half its kernel makes of each."""
    return (lengths + 1) // 2


def mask_of(lengths: Tensor, positions: int) -> Tensor:
    """Return (samples, positions), True where a position is within its sample."""
    return torch.arange(positions, device=lengths.device) < lengths.unsqueeze(1)
