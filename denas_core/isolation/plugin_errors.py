"""Report a plugin's exception as that plugin's error."""

from __future__ import annotations

import contextlib

from denas_core.errors import ConfigError, Infeasible, PluginError, StorageError
from denas_core.text import describe_error

from .guard import guarded

_ALLOWED = (ConfigError, PluginError, Infeasible, StorageError)
"""Errors of DE-NAS that a component may raise. Any other, such as a damaged store, would mislead."""


def plugin_errors(owner: str, *, guard: bool = True) -> PluginErrors:
    """Turn what a component's code raises into one line that names the component.

    Args:
        owner: What runs, as the line names it, such as ``space 'cv/cnn'``.
        guard: Restore the state of the process after the code as well, see `guarded`.

    Raises:
        PluginError: The code raised something other than an error that says what the user can do, or Ctrl-C.
    """
    return PluginErrors(owner, guarded() if guard else contextlib.nullcontext())


class PluginErrors:
    """What `plugin_errors` returns; a class, for the reason that `Guard` gives."""

    def __init__(self, owner: str, guard: contextlib.AbstractContextManager[None]) -> None:
        self._owner = owner
        self._guard = guard

    def __enter__(self) -> None:
        self._guard.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._guard.__exit__(None, None, None)
        if error is not None and not isinstance(error, _ALLOWED) and not is_interruption(error):
            raise PluginError(f"{self._owner} failed: {describe_error(error)}") from error


def is_interruption(error: BaseException) -> bool:
    """Tell whether `error` is the user's Ctrl-C; everything else that a plugin raises is its own error."""
    return isinstance(error, KeyboardInterrupt)
