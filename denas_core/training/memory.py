"""Refuse a training that does not fit into memory, before the system ends its process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from denas_core.contracts.task import build_network
from denas_core.errors import Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.networks.cost import FLOAT_BYTES, measure_on_meta, weight_bytes
from denas_core.setup.memory_limit import MEMORY_SHARE
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity

from .plan import Plan
from .processes import read_processes
from .settings import TrainingSettings


@dataclasses.dataclass(frozen=True, slots=True)
class TrainingMemory:
    """The memory that one process of a training takes, besides Python and its libraries.

    Attributes:
        weights: Bytes of the weights, their gradients, and what the optimizer keeps of each.
        batch: Bytes of the inputs and activations of a batch of this process.
    """

    weights: int
    batch: int


def check_memory(plan: Plan, facts: Mapping[str, Any], batch_size: int) -> None:
    """Check that a training fits into memory.

    Args:
        plan: What is trained and with which settings.
        facts: Facts of the data, for the head of the network.
        batch_size: Samples of a batch over all processes.

    Raises:
        Infeasible: it takes more than the setting ``memory_gb``, or than a share of what the machine or the GPU has.
    """
    processes, given = read_processes(), plan.settings.memory_gb
    # The processes of a machine share its memory; each has a GPU of its own.
    sharing = processes.local_world if plan.device == "cpu" else 1
    available = _available(plan.device)
    limit = None if available is None else available * MEMORY_SHARE
    if given is not None:
        limit = given * 1e9
    if limit is None:
        return
    samples = batch_size // processes.world
    need = training_memory(plan, facts, samples)
    weights, batches = sharing * need.weights, sharing * need.batch
    if weights + batches <= limit:
        return
    instead = (
        "choose a smaller architecture"
        if weights > limit
        else "lower --batch-size (training.accumulate gives the same updates from smaller batches)"
    )
    who = "this training takes" if sharing == 1 else f"the {sharing} processes of this training take"
    raise Infeasible(
        f"{who} about {quantity(weights + batches)}B of memory, {quantity(weights)}B for weights, gradients and "
        f"optimizer and {quantity(batches)}B for batches of {samples} samples, and {quantity(limit)}B are there; "
        f"{instead}, or allow more with training.memory_gb"
    )


def training_memory(plan: Plan, facts: Mapping[str, Any], samples: int) -> TrainingMemory:
    """Return an estimate of the memory of a training with batches of `samples` samples.

    The samples are taken to be as large as those of the space. The activations are the results of all operations of the
    network, which the backward pass needs. Nothing is computed.

    Raises:
        Infeasible: the network is too large for torch to describe.
    """
    with plugin_errors(f"space {plan.space.id!r}", guard=False):
        model, usage = measure_on_meta(
            lambda: build_network(plan.space, plan.arch, task=plan.task, facts=facts),
            batch=lambda: plan.task.add_inputs(plan.space.batch(1, seed=0, kind="cost")),
            forward=plan.space.forward,
            name=plan.space.describe(),
        )
    trained = FLOAT_BYTES * sum(each.numel() for each in model.parameters() if each.requires_grad)
    kept = _copies(plan.settings) * trained
    activations = usage.total_bytes if plan.settings.epochs else usage.peak_bytes
    return TrainingMemory(
        weights=weight_bytes(model) + kept,
        # Autocast computes in numbers of half the size.
        batch=samples * (usage.input_bytes + activations // (2 if plan.settings.bf16 else 1)),
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
