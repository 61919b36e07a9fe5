"""The base of executors whose workers are other processes, on this machine or on others."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence

from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation
from denas_core.workers.supervisor import Supervisor
from denas_core.workers.transport import Transport

from .component import option
from .executor import Demand, Executor

SHOWN_LOSSES = 5


@dataclasses.dataclass(kw_only=True)
class SupervisedExecutor(Executor):
    """Evaluates by the workers of a transport, under a supervisor.

    A subclass defines `make_transport`. Leases, deadlines, second attempts and the reasons of failures are the
    supervisor's, so that every candidate gives one result, whatever happens to its worker.
    """

    deadline: float = option(
        600.0, "Seconds that a candidate may take before its worker is replaced and it fails", above=0
    )

    @abstractmethod
    def make_transport(self, demand: Demand) -> Transport:
        """Return the transport to the workers. Nothing needs to be started before the first work.

        Raises:
            ConfigError: workers cannot run as the options say. The text says what the user can do.
        """

    def open(self, demand: Demand) -> None:
        """Make the transport and its supervisor."""
        SupervisedExecutor.close(self)
        self.__dict__["_live"] = Supervisor(self.make_transport(demand), deadline=self.deadline)

    def run(
        self, evaluate: Callable[[Architecture], Evaluation], work: Iterable[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        """Yield each result as soon as it is there."""
        if self._supervisor() is None:
            self.open(Demand())
        supervisor = self._supervisor()
        assert supervisor is not None
        yield from supervisor.run(evaluate, work)

    def notices(self) -> Sequence[str]:
        """Return a sentence for each worker that was replaced; of many, the first ones and their number."""
        supervisor = self._supervisor()
        return first_ones([] if supervisor is None else supervisor.losses, "workers were replaced")

    def stop(self) -> None:
        """Give running candidates a few seconds to finish."""
        if (supervisor := self._supervisor()) is not None:
            supervisor.stop()

    def close(self) -> None:
        """End every worker."""
        if (supervisor := self._supervisor()) is not None:
            supervisor.close()
            del self.__dict__["_live"]

    def _supervisor(self) -> Supervisor | None:
        # A component is a dataclass of its options, so what it runs is kept beside them.
        found: Supervisor | None = self.__dict__.get("_live")
        return found


def first_ones(sentences: Sequence[str], what: str) -> Sequence[str]:
    """Return the first sentences and a last one with the number of the others, of which `what` holds."""
    more = len(sentences) - SHOWN_LOSSES
    return sentences if more <= 0 else [*sentences[:SHOWN_LOSSES], f"{more} more {what}"]
