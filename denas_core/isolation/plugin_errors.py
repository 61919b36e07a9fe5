"""Report a plugin's exception as that plugin's error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from denas_core.errors import ConfigError, Infeasible, PluginError, StorageError
from denas_core.text import describe_error

from .guard import guarded

_Item = TypeVar("_Item")
_END = object()
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
    except (*_ALLOWED, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{owner} failed: {describe_error(error)}") from error


def items_of_plugin(
    items: Callable[[], Iterable[_Item]], owner: str, *, guard: bool = True
) -> Iterator[_Item]:
    """Yield the items of a component's method, with its exceptions turned into errors as by `plugin_errors`.

    Only the component's code runs inside `plugin_errors`. What the caller does with an item does not, so a caller that
    reads no further is not reported as an error of the component.

    Raises:
        PluginError: the code raised an exception.
    """
    with plugin_errors(owner, guard=guard):
        iterator = iter(items())
    while True:
        with plugin_errors(owner, guard=guard):
            item = next(iterator, _END)
        if item is _END:
            return
        yield item  # type: ignore[misc]
