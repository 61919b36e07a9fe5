"""A job: the function that workers call with each architecture, as bytes that carry it to them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable

from denas_core.errors import ConfigError
from denas_core.text import describe_error, safe_repr
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .messages import Answer, Work

Function = Callable[[Architecture], Evaluation]


def dump_job(function: Callable[..., object]) -> bytes:
    """Return a job. Code of notebooks and of the main program travels with it; modules are imported by the worker.

    Raises:
        ConfigError: the function, or something that it holds, cannot be sent to another process.
    """
    import cloudpickle  # type: ignore[import-untyped]

    try:
        return bytes(cloudpickle.dumps((list(sys.path), cloudpickle.dumps(function))))
    except Exception as error:
        raise ConfigError(
            f"what is evaluated cannot be sent to worker processes: {describe_error(error)}; "
            "use --executor builtin/serial"
        ) from error


def load_job(job: bytes) -> Function:
    """Return the function of a job. Whatever can go wrong while its code is imported is raised."""
    # A job comes from the search that this process works for, and what it names is imported anyway.
    path, function = pickle.loads(job)  # noqa: S301
    sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
    loaded: Function = pickle.loads(function)  # noqa: S301
    return loaded


def answer_to(function: Function, message: bytes) -> bytes:
    """Evaluate a work message and return the answer as a message."""
    work = Work.decode(message)
    try:
        evaluation = function(work.arch)
        if not isinstance(evaluation, Evaluation):
            raise TypeError(f"an evaluation returned {safe_repr(evaluation, 60)}")
        answer = Answer(work.lease, evaluation)
    except BaseException as error:
        answer = Answer(work.lease, raised=error)
    return answer.encode()
