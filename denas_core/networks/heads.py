"""Heads that a task puts elsewhere than on the pooled features of a network."""

from __future__ import annotations

from torch import nn


class PositionHead(nn.Linear):
    """A linear head that is applied to every position, for example for the start and end scores of each token.

    Any other head of a task is applied to the pooled features of the network, or to its features if it does not pool.
    If the networks of a space have their own heads for a kind of task, as those of transformers do, the space may use
    its own head instead, with the same number of outputs.
    """
