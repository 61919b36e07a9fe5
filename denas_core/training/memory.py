"""Telling the user of a training that memory ran out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from denas_core.errors import Infeasible
from denas_core.system.memory import is_out_of_memory


@contextlib.contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Turn a lack of memory into one line.

    Raises:
        Infeasible: memory ran out; names the batch size.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise Infeasible(f"out of memory with batches of {batch_size}; lower --batch-size") from error
