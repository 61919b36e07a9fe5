"""Latency measured on another node: one with the resource that the user names."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

from denas_core import Architecture, Evaluation, dump_job
from denas_core.errors import ConfigError, describe_error

from .nodes import Node, on_node
from .transport import RayTransport
from .worker import Gauge

ATTEMPTS = 2
"""A measurement whose node was lost is repeated once."""

SECONDS_TO_START = 120.0
"""The process that measures must have started and loaded what it measures with after this time."""

Measure = Callable[[Architecture, Evaluation], Evaluation]


class RemoteLatency:
    """Measures latency on a node that has a resource. It takes the whole resource, so that nothing else measures there.

    Attributes:
        notices: Sentences about where latency was measured.
    """

    def __init__(self, transport: RayTransport, resource: str, *, deadline: float) -> None:
        """Measure on the nodes of a transport.

        Args:
            transport: The workers of the search. They are idle while this measures.
            resource: Name of the resource.
            deadline: Seconds that a measurement may take.

        Raises:
            ConfigError: no node has the resource.
        """
        self.notices: list[str] = []
        self._transport = transport
        self._resource = resource
        self._deadline = deadline
        self._measure: Measure | None = None
        self._gauge: Any = None
        self._node = ""
        if not self._nodes():
            named = {name for node in transport.nodes for name in node.resources} - _OWN
            known = sorted(name for name in named if not name.startswith("node:"))
            raise ConfigError(
                f"no node of the Ray cluster has the resource {resource!r}, on which latency is to be measured; its "
                f"own resources are: {', '.join(known) or 'none'}"
            )

    def measure(self, measure: Measure, arch: Architecture, evaluation: Evaluation) -> Evaluation:
        """Return what `measure` returns on the node."""
        import ray

        reason = ""
        for _ in range(ATTEMPTS):
            try:
                if reason := self._prepare(measure):
                    break
                result = self._gauge.measure.remote(arch, evaluation).future()
                found: Evaluation = result.result(self._deadline)
                return found
            except TimeoutError:
                reason = f"no result after {self._deadline:g} s"
                self.close()
                break
            except ray.exceptions.RayError as error:
                reason = f"node {self._node} was lost: {describe_error(error)}"
                self.close()
        return dataclasses.replace(evaluation, state="failed", reason=f"latency: {reason}")

    def close(self) -> None:
        """End the process that measures."""
        import ray

        if self._gauge is not None:
            with contextlib.suppress(Exception):
                ray.kill(self._gauge, no_restart=True)
        self._gauge = self._measure = None

    def _prepare(self, measure: Measure) -> str:
        """Have a process that has loaded `measure`, and return why there is none; empty if there is one.

        What a measurement imports takes seconds, which are not part of its deadline.
        """
        import ray

        if self._gauge is not None and measure == self._measure:
            return ""
        self.close()
        if not (nodes := self._nodes()):
            return f"no node with the resource {self._resource!r} is left"
        node = nodes[0]
        resources = {self._resource: node.resources[self._resource]}
        made = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, resources=resources)(Gauge)
        self._gauge = made.options(scheduling_strategy=on_node(node.id)).remote()
        self._measure = measure
        if node.name != self._node:
            self._node = node.name
            self.notices.append(f"latency is measured on node {node.name}, which has {self._resource!r}")
        try:
            fault: str = self._gauge.load.remote(dump_job(measure)).future().result(SECONDS_TO_START)
        except TimeoutError:
            self.close()
            return f"its process did not start within {SECONDS_TO_START:g} s"
        if fault:
            self.close()
            return f"its process cannot load what it must measure with: {fault}"
        return ""

    def _nodes(self) -> list[Node]:
        return [
            node
            for node in self._transport.nodes
            if node.resources.get(self._resource, 0) > 0 and node.is_usable is not False
        ]


_OWN = frozenset({"CPU", "GPU", "memory", "object_store_memory"})
