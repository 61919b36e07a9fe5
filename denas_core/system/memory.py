"""Recognising errors that mean that memory ran out. torch reports this in several ways."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from denas_core.errors import Infeasible

_TEXTS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` means that the memory of a GPU or of the machine ran out."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _TEXTS)


@contextlib.contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Turn errors about memory into an error of one line.

    Raises:
        Infeasible: memory ran out. The text names the batch size.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise Infeasible(f"out of memory with batches of {batch_size}; lower --batch-size") from error
