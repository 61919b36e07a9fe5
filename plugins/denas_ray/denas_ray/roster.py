"""The nodes of a cluster as a search sees them: found, checked, left out, lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from denas_core.errors import ConfigError, PluginError, describe_error

from .nodes import Need, Node, alive_nodes, difference, on_node, other_processor
from .worker import report

SECONDS_WITHOUT_NODES = 60.0
"""A search ends if the cluster has had no node that can evaluate for so long."""


class Roster:
    """Knows the nodes of the cluster, and has each report its versions before it gets workers.

    Attributes:
        notices: Sentences about nodes that were left out or lost.
    """

    def __init__(
        self, need: Need, distributions: Sequence[str], follow: Callable[[str, str, Any], None]
    ) -> None:
        """Find the nodes and begin to check them.

        Args:
            need: What a worker needs of a node.
            distributions: Distributions whose versions must be those of this process.
            follow: Called with the id of a node, ``checked`` and a reference to its report, which goes to `checked`
                when it is there.

        Raises:
            ConfigError: no node has room for a worker.
        """
        self.notices: list[str] = []
        self._need = need
        self._follow = follow
        self._here = report(distributions, ())
        self._possible_at = time.monotonic()
        self._has_evaluated = False
        self._nodes = alive_nodes()
        if not self.room:
            names = ", ".join(node.name for node in self.nodes) or "it has none"
            raise ConfigError(
                f"no node of the Ray cluster has room for a worker, which takes {need.describe()}: {names}"
            )
        for node in self.nodes:
            self._check(node)

    @property
    def nodes(self) -> list[Node]:
        """The nodes that were part of the cluster when it was last looked at."""
        return list(self._nodes.values())

    @property
    def room(self) -> int:
        """The number of workers that the nodes have room for, apart from those that were left out."""
        return sum(self._need.room(node.resources) for node in self.nodes if node.is_usable is not False)

    def get(self, id: str) -> Node | None:
        """Return the node with an id; None if it has left the cluster."""
        return self._nodes.get(id)

    def look(self) -> list[Node]:
        """Read which nodes there are now, check new ones, and return those that have left.

        Raises:
            ConfigError: every node was left out.
            PluginError: there has been no node that can evaluate for a minute.
        """
        alive = alive_nodes()
        lost = [self._nodes.pop(id) for id in self._nodes.keys() - alive.keys()]
        for id in alive.keys() - self._nodes.keys():
            self._nodes[id] = alive[id]
            self._check(alive[id])
        self.notices += [f"node {node.name} has left the cluster" for node in lost]
        self._check_is_possible()
        return lost

    def checked(self, id: str, outcome: Future[Any]) -> None:
        """Judge the report of a node."""
        if (node := self._nodes.get(id)) is None:
            return
        if (error := outcome.exception()) is not None:
            why = f"its software cannot be read: {describe_error(error)}"
        else:
            there = outcome.result()
            others = difference(self._here, there)
            why = others and f"it has other versions: {others}"
            if not why and (processor := other_processor(self._here[1], there[1])):
                self.notices.append(
                    f"node {node.name} has another processor ({processor}): the last bits of scores may differ there"
                )
        node.is_usable = not why
        self._has_evaluated |= not why
        if why and self._need.room(node.resources):
            self.notices.append(f"node {node.name} is left out: {why}")

    def _check(self, node: Node) -> None:
        import ray

        task = ray.remote(num_cpus=0, max_retries=0)(report).options(scheduling_strategy=on_node(node.id))
        self._follow(node.id, "checked", task.remote(list(self._here[0]), list(sys.path)))

    def _check_is_possible(self) -> None:
        now = time.monotonic()
        if self.room:
            self._possible_at = now
        elif not self._has_evaluated:
            raise ConfigError(f"no node of the Ray cluster can evaluate: {'; '.join(self.notices)}")
        elif now - self._possible_at > SECONDS_WITHOUT_NODES:
            raise PluginError(
                f"the Ray cluster has had no node that can evaluate for {SECONDS_WITHOUT_NODES:g} s; go on with "
                "'denas search --resume' when it has one"
            )
