"""Settings of the process that decide what others compute: how to read each of them, and how to put it back."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """One thing that can be read and written; a random generator can be seeded as well."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    seed: Callable[[int], object] | None = None


class Snapshot:
    """The values of some settings at one moment."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._values = [(setting, setting.read()) for setting in settings]

    def restore(self, *, generators: bool = True) -> None:
        """Put back every setting, and the states of generators if asked to; what cannot be written stays as it is."""
        for setting, before in self._values:
            with contextlib.suppress(Exception):
                # The state of a generator is not compared first, which takes as long as to write it.
                if setting.read() != before if setting.seed is None else generators:
                    setting.write(before)

    def seed(self, seed: int) -> None:
        """Seed the generators, so that a careless plugin draws the same numbers in every run and resume."""
        for setting, _ in self._values:
            if setting.seed is not None:
                setting.seed(seed)


def computing() -> list[Setting]:
    """Return what decides numbers: the generators of Python and NumPy, if it is loaded, and how NumPy treats errors."""
    found = [Setting(random.getstate, random.setstate, random.seed)]
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy = sys.modules["numpy"]
        # As a mapping, which takes a fifth of the time of NumPy's tuple.
        read = functools.partial(numpy_random.get_state, legacy=False)
        found += [
            Setting(read, numpy_random.set_state, lambda seed: numpy_random.seed(seed % 2**32)),
            Setting(numpy.geterr, lambda value: numpy.seterr(**value)),
        ]
    return found


def _read_directory() -> str:
    # A directory that was deleted has no name.
    with contextlib.suppress(OSError):
        return os.getcwd()  # noqa: PTH109  (Path.cwd takes twice as long)
    return ""


def _write_environment(before: dict[Any, Any]) -> None:
    for name in _ENVIRONMENT.keys() - before.keys():
        del _ENVIRONMENT[name]
    _ENVIRONMENT.update(before)


def _write_filters(before: list[Any]) -> None:
    # Libraries silence warnings of their own when they are imported, which harms nobody; "error" would.
    silenced = [entry for entry in warnings.filters if entry[0] == "ignore" and entry not in before]
    # Leaving this context tells the warnings module that its filters have changed.
    with warnings.catch_warnings():
        pass
    warnings.filters[:] = [*silenced, *before]  # type: ignore[index]


def _signal_handler(name: str) -> Setting:
    number = getattr(signal, name)
    # A handler that Python did not install reads as None, and cannot be written.
    return Setting(lambda: signal.getsignal(number), lambda handler: signal.signal(number, handler))


# As bytes, where the system has them: nothing is decoded.
_ENVIRONMENT: Any = getattr(os, "environb", os.environ)
SURROUNDINGS = [
    Setting(_read_directory, os.chdir),
    Setting(lambda: dict(_ENVIRONMENT), _write_environment),
    Setting(lambda: list(warnings.filters), _write_filters),
    *(_signal_handler(name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM") if hasattr(signal, name)),
]
"""What decides no number: working directory, environment, warning filters and signal handlers."""
