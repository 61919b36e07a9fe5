"""Settings of the process on which other code depends: how to read and how to restore each of them."""

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
    """A setting that can be read and written. A random generator can be seeded as well."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    seed: Callable[[int], object] | None = None


class Snapshot:
    """The values of settings at the time of its creation."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._values = [(setting, setting.read()) for setting in settings]

    def restore(self, *, generators: bool = True) -> None:
        """Restore every setting, and with `generators` the random generators. One that cannot be written is skipped."""
        for setting, before in self._values:
            with contextlib.suppress(Exception):
                # The state of a generator is not compared first, because this takes as long as to write it.
                if setting.read() != before if setting.seed is None else generators:
                    setting.write(before)

    def seed(self, seed: int) -> None:
        """Seed the random generators."""
        for setting, _ in self._values:
            if setting.seed is not None:
                setting.seed(seed)


def numeric_settings() -> list[Setting]:
    """Return the settings that change results: random generators, and how NumPy treats floating-point errors.

    Settings of NumPy are included only if it is loaded.
    """
    found = [Setting(random.getstate, random.setstate, random.seed)]
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy = sys.modules["numpy"]
        # A mapping is read in a fifth of the time of the tuple that NumPy returns by default.
        read = functools.partial(numpy_random.get_state, legacy=False)
        found += [
            Setting(read, numpy_random.set_state, lambda seed: numpy_random.seed(seed % 2**32)),
            Setting(numpy.geterr, lambda value: numpy.seterr(**value)),
        ]
    return found


def _read_directory() -> str:
    # A deleted directory has no name.
    with contextlib.suppress(OSError):
        return os.getcwd()  # noqa: PTH109  (Path.cwd takes twice as long)
    return ""


def _write_environment(before: dict[Any, Any]) -> None:
    for name in _ENVIRONMENT.keys() - before.keys():
        del _ENVIRONMENT[name]
    _ENVIRONMENT.update(before)


def _write_filters(before: list[Any]) -> None:
    # Filters that ignore warnings are kept: libraries add some when they are imported, and they do no harm.
    silenced = [entry for entry in warnings.filters if entry[0] == "ignore" and entry not in before]
    # Leaving this context tells the warnings module that its filters have changed.
    with warnings.catch_warnings():
        pass
    warnings.filters[:] = [*silenced, *before]  # type: ignore[index]


def _signal_handler(name: str) -> Setting:
    number = getattr(signal, name)
    # A handler that Python did not install is read as None, and cannot be restored.
    return Setting(lambda: signal.getsignal(number), lambda handler: signal.signal(number, handler))


# As bytes if the system has them, so that nothing must be decoded.
_ENVIRONMENT: Any = getattr(os, "environb", os.environ)
SURROUNDINGS = [
    Setting(_read_directory, os.chdir),
    Setting(lambda: dict(_ENVIRONMENT), _write_environment),
    Setting(lambda: list(warnings.filters), _write_filters),
    *(_signal_handler(name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM") if hasattr(signal, name)),
]
"""Settings that do not change results: working directory, environment, warning filters and signal handlers."""
