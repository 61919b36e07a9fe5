"""The processes of one training, as torchrun starts them."""

from __future__ import annotations

import os


def rank() -> int:
    """Return the number of this process; only process 0 writes."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Tell whether this process is the one that writes and prints."""
    return rank() == 0
