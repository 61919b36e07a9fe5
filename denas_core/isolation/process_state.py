"""What belongs to the whole process and decides what others compute: read before a plugin's code, put back after it."""

from __future__ import annotations

import builtins
import contextlib
import gc
import operator
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGCHLD", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
_PATCHED = (
    *("hashlib", "json", "math", "os", "random", "sqlite3", "statistics", "sys", "time", "warnings"),
    *(os.path.__name__, "numpy", "numpy.linalg", "numpy.random"),
)
"""Modules whose functions DE-NAS and most scores call: names that a plugin replaces there are put back."""


class Setting(NamedTuple):
    """One thing that can be read, and written if it is not what it was."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


class ProcessState:
    """The state of the process at one moment; nothing is imported to read it."""

    def __init__(self, *, computing_only: bool = False) -> None:
        """Read it.

        Args:
            computing_only: Leave out what decides no number, such as the working directory, and functions, which need
                not be given back to a plugin that replaced them.
        """
        torch = sys.modules.get("torch")
        self._had_torch = torch is not None
        self._builtins = dict(_BUILTINS)
        self._namespaces: list[MutableMapping[str, Any]] = []
        if not computing_only:
            self._namespaces = [
                sys.modules,
                *(vars(module) for name in _PATCHED if (module := sys.modules.get(name)) is not None),
            ]
        self._computing = [] if "numpy" not in sys.modules else [_NUMPY_ERRORS]
        self._generators = list(_generators())
        if torch is not None and hasattr(torch, "nn"):
            from . import torch_state

            self._computing += torch_state.SETTINGS
            self._namespaces += [] if computing_only else torch_state.namespaces()
            self._generators += torch_state.generators()
        self._settings = [] if computing_only else list(_around())
        self._names = [dict(namespace) for namespace in self._namespaces]
        self._values = [_read(setting) for setting in (*self._computing, *self._settings)]
        self._random = [setting.read() for setting in self._generators]

    def restore_builtins(self) -> None:
        """Put back the functions of Python itself, by none of them: first of all, since restoring takes them."""
        _BUILTINS.update(self._builtins)

    def restore(self, *, computing_only: bool = False) -> None:
        """Put everything back that is not as it was.

        Args:
            computing_only: Leave out what decides no number.
        """
        if not self._had_torch and hasattr(sys.modules.get("torch"), "nn"):
            from . import torch_state

            torch_state.set_defaults()
        for namespace, names in zip(self._namespaces, self._names, strict=True):
            restore_names(namespace, names)
        settings = self._computing if computing_only else (*self._computing, *self._settings)
        for setting, value in zip(settings, self._values, strict=False):
            # A plugin may have put anything there: what cannot be put back is left.
            with contextlib.suppress(Exception):
                if value is not _UNKNOWN and not _is_same(_read(setting), value):
                    setting.write(value)
        for setting, value in zip(self._generators, self._random, strict=True):
            with contextlib.suppress(Exception):
                setting.write(value)


def restore_names(namespace: MutableMapping[str, Any], names: Mapping[str, Any]) -> None:
    """Put back the names that were replaced or deleted; those that were added, as by lazy imports, stay."""
    if len(namespace) == len(names) and all(map(operator.is_, namespace.values(), names.values())):
        return
    for name, value in names.items():
        if namespace.get(name, _UNKNOWN) is not value:
            namespace[name] = value


def seed_generators(seed: int) -> None:
    """Seed the global generators, so that a careless plugin draws the same numbers in every run and resume."""
    # A module that somebody has forbidden to import is None.
    if (random := sys.modules.get("random")) is not None:
        random.seed(seed)
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        # The CPU's generator alone: torch.manual_seed would wake the GPUs.
        torch.default_generator.manual_seed(seed)


_BUILTINS = vars(builtins)
_UNKNOWN = object()


def _read(setting: Setting) -> Any:
    try:
        return setting.read()
    except Exception:
        # Not to be had here, such as the working directory once it is deleted: nothing to put back.
        return _UNKNOWN


def _is_same(now: Any, before: Any) -> bool:
    # Objects that a plugin put there are never asked whether they are equal: they may lie.
    if now is before:
        return True
    if type(now) is not type(before):
        return False
    if isinstance(before, (tuple, list)):
        return len(now) == len(before) and (
            all(map(operator.is_, now, before)) or all(map(_is_same, now, before))
        )
    if isinstance(before, dict):
        return now.keys() == before.keys() and (
            all(map(operator.is_, now.values(), before.values()))
            or all(_is_same(now[name], value) for name, value in before.items())
        )
    return type(before) in _PLAIN and bool(now == before)


_PLAIN = (bool, int, float, str, type(None))


def _generators() -> list[Setting]:
    found = []
    random, numpy_random = sys.modules.get("random"), sys.modules.get("numpy.random")
    if random is not None and hasattr(random, "setstate"):
        found.append(Setting(random.getstate, random.setstate))
    if numpy_random is not None and hasattr(numpy_random, "set_state"):
        # As a mapping, which takes a fifth of the time of NumPy's tuple.
        found.append(Setting(lambda: numpy_random.get_state(legacy=False), numpy_random.set_state))
    return found


def _write_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _write_list(owner: Any, name: str) -> Callable[[tuple[list[Any], tuple[Any, ...]]], None]:
    def write(value: tuple[list[Any], tuple[Any, ...]]) -> None:
        value[0][:] = value[1]
        setattr(owner, name, value[0])

    return write


def _list(owner: Any, name: str) -> Setting:
    # The list itself and what it holds: a plugin may change either.
    return Setting(
        lambda: (getattr(owner, name), tuple(getattr(owner, name))),
        _write_list(owner, name),
    )


def _write_filters(value: tuple[list[Any], tuple[Any, ...]]) -> None:
    # Libraries silence warnings of their own when they are imported, which harms nobody; "error" would.
    silenced = [entry for entry in warnings.filters if entry[0] == "ignore" and entry not in value[1]]
    _write_list(warnings, "filters")((value[0], (*silenced, *value[1])))
    # Leaving this context tells the warnings module that its filters have changed.
    with warnings.catch_warnings():
        pass


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


def _write_collection(value: tuple[bool, tuple[int, int, int]]) -> None:
    (gc.enable if value[0] else gc.disable)()
    gc.set_threshold(*value[1])


def _write_signals(handlers: tuple[Any, ...]) -> None:
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        # None is a handler that Python did not install and cannot put back.
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _stop_timer(was_running: bool) -> None:
    if not was_running:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _logging() -> tuple[Any, ...]:
    root = sys.modules["logging"].root
    return tuple(root.handlers), tuple(root.filters), root.level, root.disabled, root.manager.disable


def _write_logging(value: tuple[Any, ...]) -> None:
    root = sys.modules["logging"].root
    root.handlers[:], root.filters[:] = value[0], value[1]
    root.setLevel(value[2])
    root.disabled, root.manager.disable = value[3], value[4]


_SETTINGS = [
    Setting(os.getcwd, os.chdir),
    Setting(lambda: dict(os.environ), _write_environment),
    Setting(_umask, os.umask),
    _list(sys, "path"),
    _list(sys, "argv"),
    Setting(sys.gettrace, sys.settrace),
    Setting(sys.getprofile, sys.setprofile),
    Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    Setting(sys.getswitchinterval, sys.setswitchinterval),
    Setting(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    Setting(lambda: (gc.isenabled(), gc.get_threshold()), _write_collection),
    Setting(lambda: (warnings.filters, tuple(warnings.filters)), _write_filters),
]
_MAIN_THREAD = [
    Setting(lambda: tuple(signal.getsignal(number) for number in _SIGNALS), _write_signals),
]
if hasattr(signal, "setitimer"):
    _MAIN_THREAD.append(Setting(lambda: signal.getitimer(signal.ITIMER_REAL)[0] > 0, _stop_timer))
_BY_MODULE = {
    "logging": [Setting(_logging, _write_logging)],
    "locale": [
        Setting(
            lambda: sys.modules["locale"].setlocale(sys.modules["locale"].LC_ALL),
            lambda value: sys.modules["locale"].setlocale(sys.modules["locale"].LC_ALL, value),
        )
    ],
    "socket": [
        Setting(
            lambda: sys.modules["socket"].getdefaulttimeout(),
            lambda value: sys.modules["socket"].setdefaulttimeout(value),
        )
    ],
}
_NUMPY_ERRORS = Setting(
    lambda: sys.modules["numpy"].geterr(), lambda value: sys.modules["numpy"].seterr(**value)
)


def _around() -> Iterator[Setting]:
    yield from _SETTINGS
    if threading.current_thread() is threading.main_thread():
        yield from _MAIN_THREAD
    for name, settings in _BY_MODULE.items():
        if name in sys.modules:
            yield from settings
