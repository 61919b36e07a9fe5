"""The executor of machines that share a directory: workers that come and go, without a cluster."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

from denas_core.contracts.component import option
from denas_core.contracts.executor import Demand
from denas_core.contracts.supervised import SupervisedExecutor, first_ones
from denas_core.errors import ConfigError
from denas_core.workers.directory import DirectoryTransport, check_directory
from denas_core.workers.versions import versions


@dataclasses.dataclass(kw_only=True)
class Queue(SupervisedExecutor):
    """Evaluates by the workers that share a directory with the search, on this machine or on others.

    Start any number of them with ``denas worker DIRECTORY``, before the search or while it runs. A worker that ends or
    is lost gives its candidates to others. Whoever may write to the directory can run code as each user of it.
    """

    directory: str | None = option(None, "Directory that the search and its workers share; required")
    silence: float = option(
        15.0, "Seconds without a sign of life after which a worker counts as lost", at_least=3
    )
    patience: float = option(3600.0, "Seconds without any worker after which the search stops", above=0)
    allow_others: bool = option(False, "Whether users whom you trust may write to the directory, too")

    def make_transport(self, demand: Demand) -> DirectoryTransport:
        """Return the directory, in which nothing is written before the first work except what it is for."""
        if self.directory is None:
            raise ConfigError(
                f"executor {self.id!r} needs the directory that its workers share: --set executor.directory=DIRECTORY"
            )
        directory = Path(self.directory).expanduser()
        check_directory(directory, allow_others=self.allow_others)
        facts = {"versions": versions(), "demand": dataclasses.asdict(demand)}
        transport = DirectoryTransport(directory, facts, silence=self.silence, patience=self.patience)
        self.__dict__.update(_through=transport, _notices=transport.notices)
        return transport

    @property
    def slots(self) -> int:
        """The number of worker processes at the moment, and at least two, because more may come at any time."""
        transport = self._transport()
        return max(2, transport.processes if transport else 0)

    def describe(self) -> str:
        """Return the number of worker processes, or how to start some."""
        if (transport := self._transport()) is None:
            return ""
        if count := transport.processes:
            return f"{count} worker{'s' if count > 1 else ''}"
        return f"no worker; start some with: denas worker {shlex.quote(str(self.directory))}"

    def notices(self) -> Sequence[str]:
        """Return what happened to workers."""
        left_out = first_ones(self.__dict__.get("_notices", ()), "workers were lost, or left out")
        return [*left_out, *super().notices()]

    def close(self) -> None:
        """End the search, so that its workers end or wait for another one."""
        super().close()
        self.__dict__.pop("_through", None)

    def _transport(self) -> DirectoryTransport | None:
        found: DirectoryTransport | None = self.__dict__.get("_through")
        return found
