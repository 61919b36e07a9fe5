"""The executor contract: an executor decides where evaluations run."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .component import Component


@dataclasses.dataclass(kw_only=True)
class Executor(Component, ABC):
    """Runs evaluations, in this process or elsewhere. It returns their results to the study, which stores them.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `run`. If `run` starts
    something, such as worker processes, the executor keeps it for the next generation and ends it in `close`.

    A complete executor, which evaluates in this process and sleeps after each candidate:

    >>> import dataclasses
    >>> import time
    >>> from denas_core import Evaluation, Executor, option
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Polite(Executor):
    ...     pause: float = option(0.1, "Seconds between two candidates", at_least=0)
    ...
    ...     def run(self, evaluate, work):
    ...         for index, arch in work:
    ...             yield index, evaluate(arch)
    ...             time.sleep(self.pause)
    >>> space = SampleMLP()
    >>> work = enumerate([space.smallest(), space.full()])
    >>> [index for index, _ in Polite(pause=0).run(lambda arch: Evaluation(state="scored"), work)]
    [0, 1]
    """

    @abstractmethod
    def run(
        self, evaluate: Callable[[Architecture], Evaluation], work: Iterable[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        """Evaluate each architecture of `work` and yield its index with the result, in any order.

        Args:
            evaluate: Evaluates an architecture. It is a pure function, and the same one during the whole search. A
                process may only run one call at a time.
            work: Indices and architectures. Take the next one only when it can be evaluated now, because the study
                ends this iterator when the budget is spent.
        """

    def close(self) -> None:
        """End whatever `run` has started. Called once when the search ends, also when it fails."""
