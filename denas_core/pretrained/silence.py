"""Keep messages of transformers from the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from logging import CRITICAL

from denas_core.system.silence import silent_libraries

NOTHING = CRITICAL + 1
"""A level above that of every record."""


@contextlib.contextmanager
def silent_transformers() -> Iterator[None]:
    """Suppress log lines, warnings and progress bars of transformers, its hub and accelerate inside the context."""
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    # This context is outermost, because the hub may warn when its progress bars are switched on again.
    with silent_libraries("accelerate", level=NOTHING):
        logging.set_verbosity(NOTHING)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if had_bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
