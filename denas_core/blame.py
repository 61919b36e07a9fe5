"""Faults of plugins, told as faults of plugins."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .errors import ConfigError, Infeasible, PluginError, StorageError
from .guard import guarded
from .one_line import described

_ITS_TO_RAISE = (ConfigError, PluginError, Infeasible, StorageError)
"""Errors of DE-NAS that a component may raise; one that raised another, such as a damaged store, would mislead."""


@contextlib.contextmanager
def blamed(who: str, *, seed: int = 0) -> Iterator[None]:
    """Guard the process from a component's code, and turn what it raises into one line that names it.

    Raises:
        PluginError: anything but an error that says what the user can do, or the user's own interruption, was raised.
    """
    with faults_of(who), guarded(seed):
        yield


@contextlib.contextmanager
def faults_of(who: str) -> Iterator[None]:
    """Turn what a component raises into one line that names it, as `blamed` does, without guarding the process."""
    try:
        yield
    except _ITS_TO_RAISE:
        raise
    except BaseException as error:
        if is_interruption(error):
            raise
        raise PluginError(f"{who} failed: {described(error)}") from error


def is_interruption(error: BaseException) -> bool:
    """Tell whether `error` is the user's Ctrl-C; everything else that a plugin raises is its own fault."""
    return type(error) is KeyboardInterrupt
