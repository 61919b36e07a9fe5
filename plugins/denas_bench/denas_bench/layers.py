"""Layers of transformers whose own initialisation is a normal distribution of standard deviation 0.02."""

from __future__ import annotations

import torch
from torch import nn

STD = 0.02


class Linear(nn.Linear):
    """A linear layer with normal weights and a bias of 0."""

    def reset_parameters(self) -> None:
        """Draw the weights."""
        with torch.no_grad():
            self.weight.normal_(0.0, STD)
            self.bias.zero_()


class Embedding(nn.Embedding):
    """An embedding with normal weights."""

    def reset_parameters(self) -> None:
        """Draw the weights."""
        with torch.no_grad():
            self.weight.normal_(0.0, STD)
