"""The executor contract: where evaluations run."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .component import Component


@dataclasses.dataclass(kw_only=True)
class Executor(Component, ABC):
    """Runs evaluations, here or elsewhere; the study alone writes their results.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `run`. What it starts for that,
    such as worker processes, it keeps for the next generation and ends in `close`.

    A complete executor, which evaluates in this process and lets others have the processor in between:

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
            evaluate: A pure function, the same throughout a search; one call at a time in a process.
            work: Indices and architectures; taken from only as fast as there is capacity, since the study stops asking
                when the budget is spent.
        """

    def close(self) -> None:
        """End what `run` has started; called once, when the search ends in whatever way."""
