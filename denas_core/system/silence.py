"""Keep what other libraries warn of, log and print from the user."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def silent_libraries(*loggers: str, level: int = logging.ERROR) -> Iterator[None]:
    """Suppress all warnings, and the records of some loggers, inside the context. Errors are raised as always.

    A library that sets the level of its own logger when it is imported must be imported before.

    >>> import logging, warnings
    >>> with silent_libraries("chatty"):
    ...     warnings.warn("this call is deprecated")
    ...     logging.getLogger("chatty.parts").warning("nothing is wrong")

    Args:
        loggers: Names of the loggers. Their children are suppressed too, unless these have a level of their own.
        level: Level from which on records are kept.
    """
    before = {logger: logger.level for logger in map(logging.getLogger, loggers)}
    with warnings.catch_warnings(action="ignore"):
        for logger in before:
            logger.setLevel(level)
        try:
            yield
        finally:
            for logger, earlier in before.items():
                logger.setLevel(earlier)


@contextlib.contextmanager
def captured_stderr() -> Iterator[Callable[[], str]]:
    """Keep what is written to the standard error of the process inside the context, also by C code, from the user.

    Yields:
        A function that returns what has been written so far.
    """
    with tempfile.TemporaryFile() as file:
        copy = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")
        finally:
            os.dup2(copy, 2)
            os.close(copy)
