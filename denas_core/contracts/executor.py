"""The executor contract: an executor decides where evaluations run."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

from .component import Component


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What evaluating one candidate of a run needs.

    Attributes:
        threads: Number of threads that torch uses.
        device: ``cpu`` or ``cuda``.
        memory: Bytes that scoring the largest candidate takes, without the process around it; None if it is unknown.
        measures_latency: Whether the run measures the latency of candidates, see `Executor.measure`.
        full_latency: Whether a bound is relative to the latency of the full architecture, which was measured in the
            process of the search.
        distributions: Versions of the core and of the plugins that evaluate a candidate, by distribution.
    """

    threads: int = 1
    device: str = "cpu"
    memory: int | None = None
    measures_latency: bool = False
    full_latency: bool = False
    distributions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(kw_only=True)
class Executor(Component, ABC):
    """Runs evaluations, in this process or elsewhere. It returns their results to the study, which stores them.

    A subclass is a keyword-only dataclass whose fields are its options. It must define `run`. If `run` starts
    something, such as worker processes, the executor keeps it for the next generation and ends it in `close`.
    `denas_core.SupervisedExecutor` is the base of executors with workers in other processes or on other machines.

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
            evaluate: Evaluates an architecture. It is a pure function, and the same one during the whole search. It
                can be pickled. A process may only run one call at a time.
            work: Indices and architectures. Take the next one only when it can be evaluated now, because the study
                ends this iterator when the budget is spent.
        """

    def open(self, demand: Demand) -> None:
        """Prepare for the evaluations of a run. Called once, before `run`; by default, nothing is prepared.

        Raises:
            ConfigError: the evaluations cannot run here as the options say. The text says what the user can do.
        """

    def measure(
        self,
        measure: Callable[[Architecture, Evaluation], Evaluation],
        arch: Architecture,
        evaluation: Evaluation,
    ) -> Evaluation:
        """Return what `measure` returns for `arch`: its evaluation with the measured latency.

        The study calls this method while no candidate is being evaluated: after the last candidate, for finalists whose
        latency is predicted, or between candidates if the latency of each is measured. By default,
        `measure` is called in the process of the search. An executor of other machines may call it on the machine whose
        latency counts. `measure` can be pickled, and is the same during the whole search.
        """
        return measure(arch, evaluation)

    @property
    def slots(self) -> int:
        """The number of candidates that are evaluated beside this process; 0 if it evaluates them itself.

        It may change while the search runs. If it is not 0, latencies are measured between rounds of candidates.
        """
        return 0

    def describe(self) -> str:
        """Return a few words about the state for a line of progress, such as ``4 workers``; by default nothing."""
        return ""

    def notices(self) -> Sequence[str]:
        """Return sentences about what happened to the evaluations, such as workers that were replaced."""
        return ()

    def stop(self) -> None:
        """End `run` soon: the user has interrupted the search.

        Work that has begun may be finished if that takes a few seconds. A signal handler calls this method while `run`
        waits. By default, `run` ends after the candidates that are being evaluated, as no more work comes.
        """

    def close(self) -> None:
        """End whatever `run` has started. Called once when the search ends, also when it fails."""
