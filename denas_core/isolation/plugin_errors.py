"""Report a plugin's exception as that plugin's error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from denas_core.errors import ConfigError, Infeasible, PluginError, StorageError
from denas_core.text import describe_error

from .guard import guarded

_ALLOWED = (ConfigError, PluginError, Infeasible, StorageError)
"""Errors of DE-NAS that a component may raise. Any other, such as a damaged store, would mislead."""


@contextlib.contextmanager
def plugin_errors(owner: str, *, guard: bool = True) -> Iterator[None]:
    """Turn what a component's code raises into one line that names the component.

    Args:
        owner: What runs, as the line names it, such as ``space 'cv/cnn'``.
        guard: Restore the state of the process after the code as well, see `guarded`.

    Raises:
        PluginError: The code raised something other than an error that says what the user can do, or Ctrl-C.
    """
    try:
        with guarded() if guard else contextlib.nullcontext():
            yield
    except (*_ALLOWED, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{owner} failed: {describe_error(error)}") from error
