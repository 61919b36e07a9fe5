"""Report a plugin's exception as that plugin's error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from denas_core.errors import ConfigError, Infeasible, PluginError, StorageError
from denas_core.text import describe_error

from .guard import guarded

_ALLOWED = (ConfigError, PluginError, Infeasible, StorageError)
"""Errors of DE-NAS that a component may raise. Any other one, such as that of a damaged store, would mislead users."""


@contextlib.contextmanager
def plugin_errors(owner: str, *, guard: bool = True) -> Iterator[None]:
    """Turn an exception of a component's code into an error of one line that names the component.

    Args:
        owner: The name of the component in the error, such as ``space 'cv/cnn'``.
        guard: Whether to restore the state of the process after the code as well, see `guarded`.

    Raises:
        PluginError: the code raised an exception. Ctrl-C and the errors in `_ALLOWED`, which tell the user what to do,
            are raised unchanged.
    """
    try:
        with guarded() if guard else contextlib.nullcontext():
            yield
    # GeneratorExit is no failure: whoever read the results of a generator wants no more of them.
    except (*_ALLOWED, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise PluginError(f"{owner} failed: {describe_error(error)}") from error
