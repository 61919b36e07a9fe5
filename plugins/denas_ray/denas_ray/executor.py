"""The executor of a Ray cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from denas_core import (
    Architecture,
    Demand,
    Evaluation,
    SupervisedExecutor,
    asked_workers,
    capacity,
    check_fits,
    option,
)
from denas_core.errors import ConfigError

from .cluster import Cluster
from .latency import RemoteLatency
from .nodes import Need
from .transport import RayTransport


@dataclasses.dataclass(kw_only=True)
class Ray(SupervisedExecutor):
    """Evaluates on the nodes of a Ray cluster, one candidate a worker at a time.

    Without an address, a cluster of this machine's cores is started, and it ends with the search. A node is left out if
    the versions of the plugins, of torch or of Python differ from those of this machine. Nodes that join or leave
    while the search runs get workers or lose them, and the candidates of lost workers are evaluated again.
    """

    address: str | None = option(
        None, "Ray cluster to join: auto, or host:port of its head; by default one is started on this machine"
    )
    workers: int | None = option(
        None, "Number of workers; by default as many as the CPUs of the cluster allow", at_least=1
    )
    latency_resource: str | None = option(
        None, "Resource of the nodes on which latency is measured; by default it is measured on this machine"
    )
    candidates: int = option(
        1000, "Number of candidates after which a worker is replaced by a new one", at_least=1
    )

    def make_transport(self, demand: Demand) -> RayTransport:
        """Return the workers. The cluster is joined, and they start with the first work."""
        room = capacity(threads=demand.threads, candidate_bytes=demand.memory)
        count = self.workers
        if self.address is None:
            count = count or asked_workers() or room.workers
            check_fits(count, room)
        cpus = (count or 1) * demand.threads
        transport = RayTransport(
            lambda: Cluster(self.address, cpus=cpus),
            Need(
                threads=demand.threads,
                gpus=int(demand.device != "cpu"),
                memory=0 if self.address is None else room.worker_bytes,
            ),
            count=count,
            distributions=[*demand.distributions, "denas-core", "denas-ray"],
            candidates=self.candidates,
        )
        try:
            self._prepare_latency(demand, transport)
        except BaseException:
            transport.close()
            raise
        self.__dict__["_workers"] = transport
        return transport

    @property
    def slots(self) -> int:
        """The number of workers, present and starting."""
        transport = self._transport()
        return 0 if transport is None else max(1, transport.planned)

    def describe(self) -> str:
        """Return how many workers there are on how many nodes."""
        transport = self._transport()
        return "" if transport is None else transport.describe()

    def measure(
        self,
        measure: Callable[[Architecture, Evaluation], Evaluation],
        arch: Architecture,
        evaluation: Evaluation,
    ) -> Evaluation:
        """Measure on a node with the resource that the user has named, or in this process if none is named."""
        latency: RemoteLatency | None = self.__dict__.get("_latency")
        return measure(arch, evaluation) if latency is None else latency.measure(measure, arch, evaluation)

    def notices(self) -> Sequence[str]:
        """Return what happened to nodes and workers."""
        transport, latency = self._transport(), self.__dict__.get("_latency")
        nodes = [] if transport is None else transport.notices
        return [*([] if latency is None else latency.notices), *nodes, *super().notices()]

    def close(self) -> None:
        """End every worker, and leave the cluster."""
        if (latency := self.__dict__.pop("_latency", None)) is not None:
            latency.close()
        super().close()
        self.__dict__.pop("_workers", None)

    def _prepare_latency(self, demand: Demand, transport: RayTransport) -> None:
        if self.latency_resource is None or not demand.measures_latency:
            return
        if demand.full_latency:
            raise ConfigError(
                "a bound relative to the latency of the full architecture is measured on this machine, and "
                f"latency_resource={self.latency_resource!r} names another one; give an absolute bound, such as "
                "'latency<=5ms'"
            )
        self.__dict__["_latency"] = RemoteLatency(transport, self.latency_resource, deadline=self.deadline)

    def _transport(self) -> RayTransport | None:
        # A component is a dataclass of its options, so what it runs is kept beside them.
        found: RayTransport | None = self.__dict__.get("_workers")
        return found
