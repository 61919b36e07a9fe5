"""Faults of plugins, told as faults of plugins."""

from __future__ import annotations

import contextlib

from denas_core.errors import ConfigError, Infeasible, PluginError, StorageError
from denas_core.text import describe_error

from .guard import guarded

_ITS_TO_RAISE = (ConfigError, PluginError, Infeasible, StorageError)
"""Errors of DE-NAS that a component may raise; one that raised another, such as a damaged store, would mislead."""


def blamed(who: str, *, seed: int = 0) -> Blame:
    """Guard the process from a component's code, and turn what it raises into one line that names it.

    Raises:
        PluginError: anything but an error that says what the user can do, or the user's own interruption, was raised.
    """
    return Blame(who, guarded(seed))


def faults_of(who: str) -> Blame:
    """Turn what a component raises into one line that names it, as `blamed` does, without guarding the process."""
    return Blame(who, contextlib.nullcontext())


class Blame:
    """What `blamed` returns; a class, for the reason that `Guard` gives."""

    def __init__(self, who: str, guard: contextlib.AbstractContextManager[None]) -> None:
        self._who = who
        self._guard = guard

    def __enter__(self) -> None:
        self._guard.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._guard.__exit__(None, None, None)
        # By its type: isinstance() asks the error, which may lie.
        if error is not None and not issubclass(type(error), _ITS_TO_RAISE) and not is_interruption(error):
            raise PluginError(f"{self._who} failed: {describe_error(error)}") from error


def is_interruption(error: BaseException) -> bool:
    """Tell whether `error` is the user's Ctrl-C; everything else that a plugin raises is its own fault."""
    return type(error) is KeyboardInterrupt
