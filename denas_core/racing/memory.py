"""The memory of several trainings: of the largest one, and of as many as run side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.text import quantity
from denas_core.training.plan import Plan
from denas_core.training.preparation import shared_batch_size
from denas_core.values.architecture import Architecture
from denas_core.workers.capacity import capacity


def plan_of_largest(plan: Plan, archs: Sequence[Architecture]) -> Plan:
    """Return the plan of the training of the network with the most parameters."""
    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        largest = max(archs, key=lambda arch: plan.space.cost(arch)["params"])
    return dataclasses.replace(plan, arch=largest)


def memory_of_largest(
    plan: Plan, archs: Sequence[Architecture], data: TaskData[Any], registry: Registry
) -> int:
    """Return the bytes that the training of the network with the most parameters takes, by an estimate.

    Raises:
        Infeasible: the network is too large for torch to describe.
        ConfigError: there is no trained model where the teacher should be.
    """
    from denas_core.training.memory import training_memory

    samples = shared_batch_size(plan, data, [])
    return training_memory(plan_of_largest(plan, archs), data.facts, samples, registry=registry).total


def fitting(
    wanted: int, *, memory: int | None, memory_gb: float | None, notify: Callable[[str], None]
) -> int:
    """Return how many trainings of this machine run at a time, at least one.

    Args:
        wanted: How many there are cores for, or the user asks for.
        memory: Bytes that the largest training takes, without its process; None if it is unknown.
        memory_gb: GB of memory that all of them together may take; by default what is free.
        notify: Called with a sentence if fewer run than are wanted.
    """
    room = capacity(candidate_bytes=memory)
    bounds = []
    if room.by_memory is not None and room.free_bytes is not None:
        bounds.append((room.by_memory, f"{quantity(room.free_bytes)}B are free"))
    if memory_gb is not None and memory:
        bounds.append((int(memory_gb * 1e9) // memory, f"training.memory_gb allows {memory_gb:g} GB"))
    if not bounds:
        return wanted
    most, why = min(bounds)
    count = max(1, min(wanted, most))
    if count < wanted:
        shown = "one at a time" if count == 1 else f"{count} at a time and not {wanted}"
        notify(
            f"trainings run {shown}, because each of them takes up to "
            f"{quantity(room.worker_bytes)}B of memory, and {why}"
        )
    return count
