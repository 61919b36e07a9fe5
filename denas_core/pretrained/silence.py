"""Keeping what transformers prints from the terminal, where every line is ours."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def silent_transformers() -> Iterator[None]:
    """Keep log lines, warnings and progress bars of transformers and its hub from the terminal; then as before."""
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    # Outermost, since the hub warns where its bars cannot be switched on again.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.set_verbosity(logging.CRITICAL + 1)  # type: ignore[attr-defined]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if had_bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
