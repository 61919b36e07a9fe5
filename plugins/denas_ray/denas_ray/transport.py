"""Workers on the nodes of a Ray cluster: one actor each, replaced when it is lost, and new ones on nodes that join."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from denas_core import Event
from denas_core.errors import one_line

from .cluster import Cluster
from .nodes import Need, Node, on_node
from .roster import Roster
from .worker import Worker

SECONDS_BETWEEN_LOOKS = 1.0
"""How often the list of nodes is read."""

SECONDS_TO_NOTICE = 3.0
"""How long the cluster takes to notice that a node has gone whose workers are lost already."""


@dataclasses.dataclass(slots=True)
class _Seat:
    """A worker and what it does.

    Attributes:
        actor: The handle of its actor.
        node: The id of its node.
        is_ready: Whether it has loaded the job.
        has_work: Whether it was given work that it has not answered.
        answers: Number of answers it has given.
    """

    actor: Any
    node: str
    is_ready: bool = False
    has_work: bool = False
    answers: int = 0


class RayTransport:
    """Actors on the nodes of a cluster."""

    def __init__(
        self,
        connect: Callable[[], Cluster],
        need: Need,
        *,
        count: int | None = None,
        distributions: Sequence[str] = (),
        candidates: int = 1000,
    ) -> None:
        """Connect to a cluster and begin to check its nodes; `load` starts the workers.

        Args:
            connect: Starts or joins the cluster.
            need: What a worker needs.
            count: Number of workers; by default as many as the nodes have room for.
            distributions: Distributions whose versions must be the same on all nodes.
            candidates: A worker is replaced after this number of candidates.

        Raises:
            ConfigError: there is no cluster, or no node of it has room for a worker.
        """
        self._connect = connect
        self._need = need
        self._count = count
        self._candidates = candidates
        self._names = itertools.count(1)
        self._distributions = list(distributions)
        self._cluster: Cluster | None = None
        self._job: Any = None
        self._open()

    @property
    def planned(self) -> int:
        """The number of workers that there will be when all nodes are checked and all workers have started."""
        room = self._roster.room
        return room if self._count is None else min(room, self._count)

    @property
    def nodes(self) -> list[Node]:
        """The nodes of the cluster when it was last looked at."""
        return self._roster.nodes

    @property
    def notices(self) -> list[str]:
        """Sentences about nodes that were left out or lost."""
        return self._roster.notices

    def describe(self) -> str:
        """Return how many workers there are on how many nodes; nothing before the first work."""
        if not self._seats:
            return ""
        nodes = {seat.node for seat in self._seats.values() if seat.is_ready}
        ready = sum(seat.is_ready for seat in self._seats.values())
        waiting = len(self._seats) - ready
        text = f"{_counted(ready, 'worker')} on {_counted(len(nodes), 'node')}"
        return f"{text} ({waiting} more starting or waiting for CPUs)" if waiting else text

    def load(self, job: bytes) -> None:
        """Send a job to each worker, present or future."""
        import ray

        self._open()
        self._job = ray.put(job)
        for name, seat in self._seats.items():
            seat.is_ready = False
            self._follow(name, "loaded", seat.actor.load.remote(self._job))
        self._fill()

    def free(self) -> Sequence[str]:
        """Return the names of the workers that can take work now."""
        return [name for name, seat in self._seats.items() if seat.is_ready and not seat.has_work]

    def send(self, worker: str, message: bytes) -> None:
        """Give work to a worker."""
        seat = self._seats[worker]
        seat.has_work = True
        self._follow(worker, "answered", seat.actor.answer.remote(message))

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return what has happened to workers."""
        events = self._look()
        with contextlib.suppress(queue.Empty):
            arrived = self._arrived.get(timeout=0 if events else min(seconds, SECONDS_BETWEEN_LOOKS))
            while True:
                events += self._handle(*arrived)
                arrived = self._arrived.get_nowait()
        return events

    def end(self, worker: str) -> None:
        """Kill a worker and start another one."""
        if worker in self._seats:
            self._remove(worker)
            self._fill()

    def close(self) -> None:
        """End every worker, and leave the cluster."""
        try:
            for worker in list(self._seats):
                self._remove(worker)
        finally:
            if self._cluster is not None:
                self._cluster.leave()
                self._cluster = self._job = None

    def _open(self) -> None:
        if self._cluster is not None:
            return
        self._arrived: queue.SimpleQueue[tuple[str, str, Future[Any]]] = queue.SimpleQueue()
        self._seats: dict[str, _Seat] = {}
        self._lost_while_idle: list[tuple[float, str, Event]] = []
        self._looked_at = time.monotonic()
        self._cluster = self._connect()
        try:
            self._roster = Roster(self._need, self._distributions, self._follow)
        except BaseException:
            self.close()
            raise

    def _look(self) -> list[Event]:
        """Read the list of nodes if it is time, check new ones, and replace what is missing."""
        now = time.monotonic()
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return []
        self._looked_at = now
        events = [event for node in self._roster.look() for event in self._node_lost(node)]
        # A worker without work that is lost together with its node says nothing about what it would evaluate.
        waiting = [item for item in self._lost_while_idle if self._roster.get(item[1])]
        self._lost_while_idle = [item for item in waiting if now - item[0] < SECONDS_TO_NOTICE]
        self._fill()
        return events + [event for at, _, event in waiting if now - at >= SECONDS_TO_NOTICE]

    def _follow(self, name: str, what: str, reference: Any) -> None:
        """Put the outcome of a call into the queue when it is there."""
        future = reference.future()
        future.add_done_callback(partial(self._put, name, what))

    def _put(self, name: str, what: str, future: Future[Any]) -> None:
        self._arrived.put((name, what, future))

    def _handle(self, name: str, what: str, future: Future[Any]) -> list[Event]:
        if what == "checked":
            self._roster.checked(name, future)
            self._fill()
            return []
        seat = self._seats.get(name)
        if seat is None:
            return []
        if (error := future.exception()) is not None:
            return self._lost(name, seat, error)
        if what == "answered":
            seat.has_work = False
            seat.answers += 1
            if seat.answers >= self._candidates:
                self.end(name)
            return [Event(name, "answer", message=future.result())]
        if reason := future.result():
            return [Event(name, "unable", reason=reason)]
        seat.is_ready = True
        return [Event(name, "ready")]

    def _fill(self) -> None:
        """Start workers where there is room, first on the nodes with the fewest."""
        if self._job is None:
            return
        room = {node.id: self._need.room(node.resources) for node in self.nodes if node.is_usable}
        taken = dict.fromkeys(room, 0)
        for seat in self._seats.values():
            if seat.node in taken:
                taken[seat.node] += 1
        while self._count is None or len(self._seats) < self._count:
            free = [id for id in taken if taken[id] < room[id]]
            if not free:
                return
            id = min(free, key=taken.__getitem__)
            taken[id] += 1
            self._start(id)

    def _start(self, id: str) -> None:
        import ray

        need = self._need
        options: dict[str, Any] = {"num_cpus": need.threads, "num_gpus": need.gpus}
        made = ray.remote(max_restarts=0, max_task_retries=0, **options)(Worker)
        seat = _Seat(made.options(scheduling_strategy=on_node(id)).remote(need.threads), id)
        name = f"worker {next(self._names)}"
        self._seats[name] = seat
        self._follow(name, "loaded", seat.actor.load.remote(self._job))

    def _remove(self, worker: str) -> None:
        import ray

        seat = self._seats.pop(worker)
        with contextlib.suppress(Exception):
            ray.kill(seat.actor, no_restart=True)

    def _lost(self, worker: str, seat: _Seat, error: BaseException) -> list[Event]:
        self._remove(worker)
        node = self._roster.get(seat.node)
        where = f"on node {node.name}" if node else "on a node that was lost"
        event = Event(worker, "lost", reason=f"its worker {where} {_end_of(error)}")
        if seat.has_work:
            return [event]
        self._lost_while_idle.append((time.monotonic(), seat.node, event))
        return []

    def _node_lost(self, node: Node) -> list[Event]:
        seats = {name: seat for name, seat in self._seats.items() if seat.node == node.id}
        for name in seats:
            self._remove(name)
        reason = f"its node {node.name} has left the cluster"
        return [Event(name, "lost", reason=reason) for name, seat in seats.items() if seat.has_work]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _end_of(error: BaseException) -> str:
    """Return how a worker was lost. Ray's own texts have a kilobyte, most of it advice."""
    from ray.exceptions import ActorUnavailableError

    text = str(error)
    if "low on memory" in text:
        return "was ended by Ray, as the node is low on memory"
    if "creation task" in text:
        return f"could not start: {one_line(text.strip().splitlines()[-1])}"
    return "cannot be reached" if isinstance(error, ActorUnavailableError) else "ended"
