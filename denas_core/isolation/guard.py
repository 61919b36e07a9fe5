"""The guard around every call into a plugin: what belongs to the process is what it was when the call returns."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from .process_state import ProcessState, seed_generators
from .streams import stdout_to_stderr

# Generators, threads and precision of torch, standard output and the working directory belong to the process:
# searches in several threads take turns.
TURN = threading.RLock()

_entered: list[ProcessState | None] = []


def guarded(seed: int = 0, *, streams: bool = True) -> Guard:
    """Run a plugin's code so that whatever it does to the process is undone afterwards.

    Random generators, working directory, environment, torch's settings, import path, signal handlers, warning filters,
    logging, replaced functions and the like are put back; what is printed goes to standard error. The global generators
    start at `seed`, so that numbers drawn from them are the same in every run.

    Args:
        seed: Seed of the global generators meanwhile.
        streams: Whether standard output is kept from the body.
    """
    return Guard(seed, streams=streams)


class Guard:
    """What `guarded` returns; a class, since a generator would be resumed by ``next``, which the body may replace."""

    def __init__(self, seed: int, *, streams: bool) -> None:
        self._seed = seed
        self._streams = stdout_to_stderr() if streams else contextlib.nullcontext()

    def __enter__(self) -> None:
        with contextlib.ExitStack() as entered:
            entered.enter_context(TURN)
            entered.enter_context(self._streams)
            self._state = ProcessState()
            _entered.append(self._state)
            seed_generators(self._seed)
            self._entered = entered.pop_all()

    def __exit__(self, *details: object) -> None:
        self._state.restore_builtins()
        with self._entered:
            _entered.pop()
            self._state.restore()


@contextlib.contextmanager
def as_before_the_call() -> Iterator[None]:
    """Run the core's own work, shared by several plugins, inside a plugin's call, under the settings from before it.

    Outside of any guard nothing is done.
    """
    with TURN:
        # Asked in one's turn: a guard that another thread has entered says nothing of this one.
        if not _entered or _entered[-1] is None:
            yield
            return
        changed = ProcessState(computing_only=True)
        _entered[-1].restore(computing_only=True)
        # Work that such work asks for is under these settings already.
        _entered.append(None)
        seed_generators(0)
        try:
            yield
        finally:
            _entered.pop()
            changed.restore()
