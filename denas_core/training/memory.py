"""Refuse a training that does not fit into memory, before the system ends its process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task, build_network
from denas_core.errors import Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.trained import read_structure
from denas_core.networks.cost import FLOAT_BYTES, Usage, measure_on_meta, weight_bytes
from denas_core.registry.registry import Registry
from denas_core.setup.memory_limit import MEMORY_SHARE
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity
from denas_core.values.architecture import Architecture

from .plan import Plan
from .processes import read_processes
from .settings import TrainingSettings

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass(frozen=True, slots=True)
class TrainingMemory:
    """The memory that one process of a training takes, besides Python and its libraries.

    Attributes:
        weights: Bytes of the weights, their gradients, and what the optimizer keeps of each.
        batch: Bytes of the inputs and activations of a batch of this process, those of the teacher included.
        teacher: Bytes of the weights of the teacher.
    """

    weights: int
    batch: int
    teacher: int = 0

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.weights + self.batch + self.teacher

    def describe(self, samples: int) -> str:
        """Return what takes the memory, in words; `samples`: of a batch."""
        parts = [f"{quantity(self.weights)}B for weights, gradients and optimizer"]
        if self.teacher:
            parts.append(f"{quantity(self.teacher)}B for the weights of the teacher")
        return f"{', '.join(parts)} and {quantity(self.batch)}B for batches of {samples} samples"


def check_memory(
    plan: Plan, facts: Mapping[str, Any], batch_size: int, *, registry: Registry | None = None
) -> TrainingMemory:
    """Check that a training fits into memory, and return what one of its processes takes.

    Args:
        plan: What is trained and with which settings.
        facts: Facts of the data, for the head of the network.
        batch_size: Samples of a batch over all processes.
        registry: The plugins with the space and the task of the teacher; by default all installed plugins.

    Raises:
        Infeasible: it takes more than the setting ``memory_gb``, or than a share of what the machine or the GPU has.
        ConfigError: there is no trained model where the teacher should be.
    """
    processes, given = read_processes(), plan.settings.memory_gb
    # The processes of a machine share its memory; each has a GPU of its own.
    sharing = processes.local_world if plan.device == "cpu" else 1
    samples = batch_size // processes.world
    need = training_memory(plan, facts, samples, registry=registry)
    available = _available(plan.device)
    limit = None if available is None else available * MEMORY_SHARE
    if given is not None:
        limit = given * 1e9
    together = TrainingMemory(*(sharing * count for count in dataclasses.astuple(need)))
    if limit is None or together.total <= limit:
        return need
    instead = (
        f"choose a smaller architecture{' or a smaller teacher' if need.teacher else ''}"
        if together.weights + together.teacher > limit
        else "lower --batch-size (training.accumulate gives the same updates from smaller batches)"
    )
    who = "this training takes" if sharing == 1 else f"the {sharing} processes of this training take"
    raise Infeasible(
        f"{who} about {quantity(together.total)}B of memory, {together.describe(samples)}, and {quantity(limit)}B are "
        f"there; {instead}, or allow more with training.memory_gb"
    )


def training_memory(
    plan: Plan, facts: Mapping[str, Any], samples: int, *, registry: Registry | None = None
) -> TrainingMemory:
    """Return an estimate of the memory of a training with batches of `samples` samples.

    The samples are taken to be as large as those of the space. The activations are the results of all operations of the
    network, which the backward pass needs, and those of the teacher that exist at the same time. Nothing is computed.

    Raises:
        Infeasible: the network is too large for torch to describe.
        ConfigError: there is no trained model where the teacher should be.
    """
    model, usage = _measure(plan.space, plan.arch, plan.task, facts)
    trained = FLOAT_BYTES * sum(each.numel() for each in model.parameters() if each.requires_grad)
    kept = _copies(plan.settings) * trained
    activations = usage.total_bytes if plan.settings.epochs else usage.peak_bytes
    teacher = 0
    if plan.teacher is not None:
        taught = read_structure(plan.teacher, registry)
        teacher_model, teacher_usage = _measure(
            taught.space, taught.arch, taught.task or plan.task, taught.facts or facts
        )
        teacher = weight_bytes(teacher_model)
        # The teacher is only asked in training steps, while the activations of the network are kept.
        activations += teacher_usage.peak_bytes if plan.settings.epochs else 0
    return TrainingMemory(
        weights=weight_bytes(model) + kept,
        # Autocast computes in numbers of half the size.
        batch=samples * (usage.input_bytes + activations // (2 if plan.settings.bf16 else 1)),
        teacher=teacher,
    )


def _measure(
    space: SearchSpace, arch: Architecture, task: Task[Any], facts: Mapping[str, Any]
) -> tuple[nn.Module, Usage]:
    with plugin_errors(f"space {space.id!r}", guard=False):
        return measure_on_meta(
            lambda: build_network(space, arch, task=task, facts=facts),
            batch=lambda: task.add_inputs(space.batch(1, seed=0, kind="cost")),
            forward=space.forward,
            name=space.describe(),
        )


def _copies(settings: TrainingSettings) -> int:
    """Return how many numbers are kept for each trained weight: its gradient and the moments of the optimizer."""
    if not settings.epochs:
        return 0
    return 3 if settings.optimizer == "adamw" else 1 + (settings.momentum > 0)


def _available(device: str) -> int | None:
    if device == "cpu":
        return memory_bytes()
    import torch

    return int(torch.cuda.get_device_properties(read_processes().local_rank).total_memory)
