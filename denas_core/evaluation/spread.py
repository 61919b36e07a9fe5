"""Evaluating a list of architectures by an executor: what every command that scores uses, apart from the search."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from denas_core.contracts.executor import Demand, Executor
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation


@contextlib.contextmanager
def opened(executor: Executor, demand: Demand) -> Iterator[Executor]:
    """Open an executor, and close it after the body, also if that fails.

    Raises:
        ConfigError: evaluations cannot run here as the executor's options say.
    """
    with plugin_errors(f"executor {executor.id!r}"):
        executor.open(demand)
    try:
        yield executor
    finally:
        executor.close()


def spread(
    executor: Executor,
    function: Callable[[Architecture], Evaluation],
    architectures: Iterable[Architecture],
) -> Iterator[tuple[Architecture, Evaluation]]:
    """Yield each architecture with what `function` returns for it, in any order.

    Args:
        executor: An open executor.
        function: A function that can be pickled.
        architectures: The next one is taken when it can be evaluated.
    """
    taken: list[Architecture] = []

    def work() -> Iterator[tuple[int, Architecture]]:
        for arch in architectures:
            taken.append(arch)
            yield len(taken) - 1, arch

    for index, evaluation in executor.run(function, work()):
        yield taken[index], evaluation
