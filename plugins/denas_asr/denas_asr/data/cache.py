"""Features that are kept in memory, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class FeatureCache:
    """Tensors by key, up to a number of bytes in all.

    What has come first stays: epochs draw every sample once, in random order, so that what would be thrown out for a
    newer one is as likely to be needed next.
    """

    def __init__(self, most_bytes: float) -> None:
        """Take the bytes that all tensors may have together; 0 keeps none."""
        self._most_bytes, self._room = most_bytes, most_bytes
        self._kept: dict[Hashable, Tensor] = {}

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[float]]:
        # Another process begins with nothing: to send what is kept takes longer than to compute it.
        return FeatureCache, (self._most_bytes,)

    def get(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Return the tensor of `key`, made if it is not there; nobody may change it."""
        found = self._kept.get(key)
        if found is None:
            found = make()
            if found.nbytes <= self._room:
                self._room -= found.nbytes
                self._kept[key] = found
        return found
