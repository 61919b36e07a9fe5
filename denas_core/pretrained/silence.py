"""Keep messages of transformers from the terminal."""

from __future__ import annotations

import contextlib
import logging as standard_logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def silent_transformers() -> Iterator[None]:
    """Suppress log lines, warnings and progress bars of transformers, its hub and accelerate inside the context."""
    from transformers.utils import logging

    accelerate = standard_logging.getLogger("accelerate")
    level = accelerate.level
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    # This context is outermost, because the hub may warn when its progress bars are switched on again.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.set_verbosity(logging.CRITICAL + 1)  # type: ignore[attr-defined]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        accelerate.setLevel(standard_logging.CRITICAL + 1)
        try:
            yield
        finally:
            accelerate.setLevel(level)
            logging.set_verbosity(verbosity)
            if had_bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
