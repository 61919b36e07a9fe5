"""A cache of features in memory, up to a limit in bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class FeatureCache:
    """Tensors by key, up to a total number of bytes.

    When the cache is full, it keeps its tensors and stores no new ones. An epoch reads every sample once in random
    order, so an old tensor is as likely to be needed next as a new one, and replacing tensors would gain nothing.
    """

    def __init__(self, most_bytes: float) -> None:
        """Set the limit on the bytes of all tensors together; 0 stores none."""
        self._most_bytes, self._room = most_bytes, most_bytes
        self._kept: dict[Hashable, Tensor] = {}

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[float]]:
        # A new process starts with an empty cache: sending the tensors takes longer than computing them again.
        return FeatureCache, (self._most_bytes,)

    def get(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Return the tensor of `key`, and make it first if it is missing; callers must not change it."""
        found = self._kept.get(key)
        if found is None:
            found = make()
            if found.nbytes <= self._room:
                self._room -= found.nbytes
                self._kept[key] = found
        return found
