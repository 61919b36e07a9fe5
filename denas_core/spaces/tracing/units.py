"""Units: members of the dimensions of weights that can only be removed together, as sets that are joined."""

from __future__ import annotations

import torch
from torch import Tensor

NONE = -1
"""The unit of an element that belongs to no member, such as a pixel of the input."""


class Units:
    """Members of dimensions, joined into units by what a network does with them.

    A unit is locked if something that cannot be cut depends on it, such as an output of the network.
    """

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._locked: list[bool] = []

    def new(self, count: int) -> Tensor:
        """Return the numbers of `count` new members, each a unit of its own."""
        first = len(self._parent)
        self._parent += range(first, first + count)
        self._locked += [False] * count
        return torch.arange(first, first + count)

    def find(self, member: int) -> int:
        """Return the member that stands for the unit of `member`."""
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def is_locked(self, member: int) -> bool:
        """Return whether the unit of `member` must stay."""
        return self._locked[self.find(member)]

    def join(self, first: Tensor, second: Tensor) -> None:
        """Join members of two tensors of equal shape, element by element. A member beside none is locked."""
        pairs = torch.unique(torch.stack([first.reshape(-1), second.reshape(-1)]), dim=1)
        for one, other in pairs.t().tolist():
            if NONE in (one, other):
                if one != other:
                    self._lock(max(one, other))
                continue
            self._merge(one, other)

    def join_all(self, members: Tensor) -> None:
        """Join all members of the last dimension, for each index of the other dimensions."""
        flat = members.reshape(-1, members.shape[-1])
        self.join(flat[:, :-1], flat[:, 1:])

    def lock(self, members: Tensor) -> None:
        """Lock the units of members."""
        for member in torch.unique(members).tolist():
            if member != NONE:
                self._lock(member)

    def _merge(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            first, second = min(one, other), max(one, other)
            self._parent[second] = first
            self._locked[first] |= self._locked[second]

    def _lock(self, member: int) -> None:
        self._locked[self.find(member)] = True


class Mismatch(Exception):
    """A network that was cut joins two units that are not the same, or needs one that is missing."""


class KnownUnits(Units):
    """Units that are known from a larger network. A network that was cut must join none of them anew."""

    def __init__(self, locked: frozenset[int]) -> None:
        super().__init__()
        self._whole = locked

    def is_locked(self, member: int) -> bool:
        """Return whether the unit was locked in the larger network."""
        return member in self._whole

    def find(self, member: int) -> int:
        """Return `member`, which is a unit."""
        return member

    def _merge(self, one: int, other: int) -> None:
        if one != other:
            raise Mismatch(f"units {one} and {other} meet")

    def _lock(self, member: int) -> None:
        if member not in self._whole:
            raise Mismatch(f"unit {member} must stay whole")
