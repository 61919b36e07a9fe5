"""The guard around every call into a plugin: what belongs to the process is what it was when the call returns."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from .process_state import SURROUNDINGS, Setting, Snapshot, computing
from .streams import stdout_to_stderr

# Generators, threads and precision of torch, standard output and the working directory belong to the process:
# searches in several threads take turns.
TURN = threading.RLock()

_entered: list[Snapshot | None] = []


@contextlib.contextmanager
def guarded(seed: int = 0) -> Iterator[None]:
    """Run a plugin's code so that what it does to the process by mistake is undone afterwards.

    What `restored` covers is put back, and what is printed goes to standard error. The global generators start at
    `seed`, so that a careless plugin draws the same numbers in every run.
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
    """Put back random generators, settings of torch and NumPy, directory, environment, signal handlers, warnings.

    The snapshot of what decides numbers is returned. Nothing is imported for it.
    """
    had_torch = _torch_is_loaded()
    state, surroundings = Snapshot(_computing()), Snapshot(SURROUNDINGS)
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
    """Run the core's own work, shared by several plugins, inside a plugin's call, under the settings from before it.

    Outside of any guard nothing is done.
    """
    with TURN:
        # Read after waiting for the turn: a guard that another thread has entered says nothing about this one.
        before = _entered[-1] if _entered else None
        if before is None:
            yield
            return
        changed = Snapshot(_computing())
        before.restore(generators=False)
        # Work that such work asks for is under these settings already.
        _entered.append(None)
        before.seed(0)
        try:
            yield
        finally:
            _entered.pop()
            changed.restore()


def _computing() -> list[Setting]:
    if not _torch_is_loaded():
        return computing()
    from . import torch_state

    return [*computing(), *torch_state.settings()]


def _torch_is_loaded() -> bool:
    # While torch is being imported it is there, and lacks most of its parts.
    return hasattr(sys.modules.get("torch"), "nn")
