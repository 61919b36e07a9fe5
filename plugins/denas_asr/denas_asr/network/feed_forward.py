"""The feed-forward layer of a block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, cast

from torch import Tensor, nn
from torch.nn import functional as F


class FeedForward(nn.Module):
    """Two linear layers with an activation between them.

    Args:
        width: Number of features of a position.
        hidden: Number of features between the two layers.
        dropout: Dropout rate after the activation.
        activation: A torch function.
    """

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"fc1": ("ffn.in",), "fc2": ("ffn.out",)}

    def __init__(
        self, width: int, hidden: int, *, dropout: float, activation: Callable[[Tensor], Tensor] = F.gelu
    ) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, positions, width)."""
        return cast("Tensor", self.fc2(self.dropout(self.activation(self.fc1(x)))))
