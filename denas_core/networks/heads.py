"""Heads that say where they go: what a task asks of a network beyond a layer on its pooled features."""

from __future__ import annotations

from torch import nn


class PositionHead(nn.Linear):
    """A linear head that every position has, such as the start and end scores of each token of a text.

    Any other head that a task returns takes what the network pools, or its features if it pools none. A space whose
    networks have heads of their own for a kind of task, such as those of transformers, may use these instead, with the
    same number of outputs.
    """
