"""The convolution of a Conformer block, over the frames of each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor, nn
from torch.nn import functional as F


class ConvolutionModule(nn.Module):
    """A gated pointwise layer, a depthwise convolution, batch-norm, SiLU and a pointwise layer.

    Args:
        width: Number of features of a frame.
        kernel: Kernel size of the convolution in frames; an odd number.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "pointwise1": ("conv",),
        "depthwise": ("conv",),
        "pointwise2": ("conv",),
    }

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.pointwise1 = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.BatchNorm1d(width)
        self.pointwise2 = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (samples, frames, width); frames outside `mask` are treated as zero."""
        x = F.glu(self.pointwise1(x), -1)
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
        x = self.depthwise(x.transpose(1, 2))
        return cast("Tensor", self.pointwise2(F.silu(self._normalise(x, mask)).transpose(1, 2)))

    def _normalise(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return normalised (samples, width, frames); statistics are computed over the valid frames."""
        if mask is None or not self.training:
            return cast("Tensor", self.norm(x))
        frames = x.transpose(1, 2)
        normed = frames.new_zeros(frames.shape)
        normed[mask] = self.norm(frames[mask]).to(normed.dtype)
        return normed.transpose(1, 2)
