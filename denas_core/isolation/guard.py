"""The guard around every call of a plugin: after the call, the state of the process is as it was before."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from .process_state import SURROUNDINGS, Setting, Snapshot, numeric_settings
from .streams import stdout_to_stderr

# Generators, threads and precision of torch, standard output and the working directory belong to the process.
# Searches in several threads therefore take turns.
TURN = threading.RLock()

_entered: list[Snapshot | None] = []


@contextlib.contextmanager
def guarded(seed: int = 0) -> Iterator[None]:
    """Run the code of a plugin, and afterwards undo what it has changed in the process by mistake.

    The state that `restored` names is restored, and printed text goes to standard error. The global random generators
    start with `seed`. A plugin that uses them by mistake therefore draws the same numbers in every run.
    """
    with TURN, stdout_to_stderr(), restored() as state:
        _entered.append(state)
        state.seed(seed)
        try:
            yield
        finally:
            _entered.pop()


@contextlib.contextmanager
def restored() -> Iterator[Snapshot]:
    """Restore the state of the process at the end of the context.

    This state consists of random generators, settings of torch and NumPy, working directory, environment variables,
    signal handlers and warning filters. The function imports neither torch nor NumPy. It yields the snapshot of the
    settings that change results.
    """
    had_torch = _torch_is_loaded()
    state, surroundings = Snapshot(_all_numeric_settings()), Snapshot(SURROUNDINGS)
    try:
        yield state
    finally:
        if not had_torch and _torch_is_loaded():
            from . import torch_state

            torch_state.set_defaults()
        state.restore()
        surroundings.restore()


@contextlib.contextmanager
def as_before_the_call() -> Iterator[None]:
    """Run work of the core inside the call of a plugin, with the settings from before this call.

    Several plugins share the result of this work, so that it must not depend on the plugin that asks for it first.
    Outside of a guard, this context does nothing.
    """
    with TURN:
        # This is read after the wait for the turn: a guard that another thread has entered does not concern this one.
        before = _entered[-1] if _entered else None
        if before is None:
            yield
            return
        changed = Snapshot(_all_numeric_settings())
        before.restore(generators=False)
        # A nested call of this function finds the right settings already.
        _entered.append(None)
        before.seed(0)
        try:
            yield
        finally:
            _entered.pop()
            changed.restore()


def _all_numeric_settings() -> list[Setting]:
    if not _torch_is_loaded():
        return numeric_settings()
    from . import torch_state

    return [*numeric_settings(), *torch_state.settings()]


def _torch_is_loaded() -> bool:
    # During its import, torch is in sys.modules but lacks most of its parts.
    return hasattr(sys.modules.get("torch"), "nn")
