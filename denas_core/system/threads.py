"""A fixed number of torch threads. The number changes the last bits of sums, and latencies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Let torch use a fixed number of threads while the body runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
