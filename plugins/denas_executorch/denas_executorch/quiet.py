"""What ExecuTorch writes to standard error while it loads and converts, kept from the user."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keep warnings, log records and the text of C++ code from standard error.

    Yields:
        A function that returns the text of C++ code until now.
    """
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as file:
        copy = os.dup(2)
        os.dup2(file.fileno(), 2)

        def written() -> str:
            return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield written
        finally:
            os.dup2(copy, 2)
            os.close(copy)
            logger.setLevel(level)
