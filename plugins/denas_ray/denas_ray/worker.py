"""What runs in the processes of a cluster: the report on a node, and the actors that evaluate and measure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from denas_core import Architecture, Evaluation, answer_to, environment, installed_version, load_job
from denas_core.errors import describe_error


def report(distributions: Sequence[str], path: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the versions of distributions on this node, and what else the exact bits of a score depend on.

    Args:
        distributions: Names of distributions.
        path: Where the search imports modules from. It matters if the node shares these folders.
    """
    sys.path += [entry for entry in path if entry not in sys.path]
    return {name: installed_version(name) for name in distributions}, environment()


class _Loading:
    """Loads a job that it is sent."""

    def load(self, job: bytes) -> str:
        """Load what is called for each candidate, and return why that is impossible; empty if it is loaded."""
        try:
            self._function: Callable[..., Evaluation] = load_job(job)
        except BaseException as error:
            return describe_error(error)
        return ""


class Worker(_Loading):
    """Evaluates candidates, one at a time."""

    def __init__(self, threads: int) -> None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)

    def answer(self, message: bytes) -> bytes:
        """Return the answer to a work message."""
        return answer_to(self._function, message)


class Gauge(_Loading):
    """Measures the latency of candidates on its node."""

    def measure(self, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation with the measured latency."""
        return self._function(arch, evaluation)
