"""Sinusoidal positions (Vaswani et al. 2017, arXiv:1706.03762, section 3.5)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def add_positions(x: Tensor) -> Tensor:
    """Return `x`, (samples, positions, width), plus alternating sines and cosines of each position."""
    positions, width = x.shape[1], x.shape[2]
    # bfloat16 and float16 would round the position numbers.
    dtype = torch.promote_types(x.dtype, torch.float32)
    steps = torch.arange(0, width, 2, device=x.device, dtype=dtype)
    angles = torch.outer(
        torch.arange(positions, device=x.device, dtype=dtype),
        torch.exp(steps * (-math.log(10_000.0) / width)),
    )
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    return x + table[:, :width].to(x.dtype)
