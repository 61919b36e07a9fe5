"""A fixed number of threads, since it decides the last bits of sums and the length of latencies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Give torch a fixed number of threads for a while."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
