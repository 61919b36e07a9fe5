"""Lengths of samples after subsampling, and masks made from lengths."""

from __future__ import annotations

import torch
from torch import Tensor


def lengths_after_stride(lengths: Tensor) -> Tensor:
    """Return the lengths after a convolution with stride 2 and a padding of half its kernel."""
    return (lengths + 1) // 2


def mask_of(lengths: Tensor, positions: int) -> Tensor:
    """Return a mask (samples, positions), True for positions within the sample."""
    return torch.arange(positions, device=lengths.device) < lengths.unsqueeze(1)
