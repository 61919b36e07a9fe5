"""Faults of plugins, told as faults of plugins."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .errors import DenasError, PluginError


@contextlib.contextmanager
def blamed(who: str) -> Iterator[None]:
    """Turn what a component raises into one line that names it.

    Raises:
        PluginError: anything but an error of DE-NAS itself was raised.
    """
    try:
        yield
    except DenasError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise PluginError(f"{who} failed: {type(error).__name__}: {text}") from error
