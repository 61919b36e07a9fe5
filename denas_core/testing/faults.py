"""What a component raised, with the line of its own code: without a traceback, a KeyError says little."""

from __future__ import annotations

import sysconfig
import traceback
from importlib.util import find_spec
from pathlib import Path

from denas_core.text import describe_error

_LIBRARIES = ("denas_core", "torch", "numpy")


def describe_fault(error: BaseException) -> str:
    """Return ``KeyError: 'kernel2' (denas_series/space.py:27, in build)``, without the place if it is not known."""
    place = place_of(error)
    return f"{describe_error(error)} ({place})" if place else describe_error(error)


def place_of(error: BaseException) -> str:
    """Return the innermost line outside of Python, torch and the core that `error` came through; empty without one."""
    found = place_of(error.__cause__) if error.__cause__ is not None else ""
    if found:
        return found
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if not code.co_filename.startswith("<") and not _is_of_a_library(Path(code.co_filename)):
            found = f"{'/'.join(Path(code.co_filename).parts[-2:])}:{line}, in {code.co_name}"
    return found


def _is_of_a_library(path: Path) -> bool:
    if "site-packages" not in path.parts and path.is_relative_to(sysconfig.get_path("stdlib")):
        return True
    specs = (find_spec(package) for package in _LIBRARIES)
    return any(path.is_relative_to(Path(spec.origin).parent) for spec in specs if spec and spec.origin)
