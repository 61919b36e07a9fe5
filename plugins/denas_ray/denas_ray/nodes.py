"""The nodes of a cluster: how many workers each has room for, and whether it computes what this machine computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from denas_core import version_difference


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a worker needs of a node.

    Attributes:
        threads: CPUs.
        gpus: GPUs.
        memory: Bytes of memory.
    """

    threads: int = 1
    gpus: int = 0
    memory: int = 0

    def room(self, resources: Mapping[str, float]) -> int:
        """Return how many workers a node with these resources has room for."""
        room = int(resources.get("CPU", 0)) // self.threads
        if self.gpus:
            room = min(room, int(resources.get("GPU", 0)) // self.gpus)
        if self.memory and "memory" in resources:
            room = min(room, int(resources["memory"]) // self.memory)
        return room

    def describe(self) -> str:
        """Return what a worker needs, in words."""
        parts = [f"{self.threads} {'CPU' if self.threads == 1 else 'CPUs'}"]
        if self.gpus:
            parts.append(f"{self.gpus} GPU")
        if self.memory:
            parts.append(f"{self.memory / 1e9:.2g} GB of memory")
        return ", ".join(parts)


@dataclasses.dataclass(slots=True)
class Node:
    """A node of the cluster.

    Attributes:
        id: Its id in the cluster.
        name: Its address, or the name that its owner gave it.
        resources: Its resources by name, such as ``CPU``.
        is_usable: Whether it has been checked and can evaluate; None while it is being checked.
    """

    id: str
    name: str
    resources: Mapping[str, float]
    is_usable: bool | None = None


def alive_nodes() -> dict[str, Node]:
    """Return the nodes that are part of the cluster now, by id."""
    import ray

    found = {}
    for entry in ray.nodes():  # type: ignore[no-untyped-call]
        if entry["Alive"]:
            name, address = entry["NodeName"], entry["NodeManagerAddress"]
            text = address if name in ("", address) else f"{name} ({address})"
            found[entry["NodeID"]] = Node(entry["NodeID"], text, dict(entry["Resources"]))
    return found


def on_node(node: str) -> Any:
    """Return the strategy of Ray's that puts an actor or a task on a node, given by its id."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def difference(
    here: tuple[Mapping[str, str], Mapping[str, str]], there: tuple[Mapping[str, str], Mapping[str, str]]
) -> str:
    """Return the versions for which a node cannot evaluate for this process; empty if it can.

    Args:
        here: What `denas_ray.worker.report` returns in this process.
        there: What it returns on the node.
    """
    return version_difference(
        {**there[0], **_versions(there[1])},
        {**here[0], **_versions(here[1])},
    )


def other_processor(here: Mapping[str, str], there: Mapping[str, Any]) -> str:
    """Return the processor of a node if it is another one than that of this machine, and an empty text otherwise."""
    same = all(here[name] == there.get(name) for name in _HARDWARE)
    return "" if same else f"{there.get('processor', 'unknown')}, {there.get('machine', 'unknown')}"


_HARDWARE = ("machine", "processor")


def _versions(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if name not in _HARDWARE}
