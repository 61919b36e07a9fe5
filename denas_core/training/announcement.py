"""What a training says before its first step: its data, its device and its length."""

from __future__ import annotations

import os
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.text import parse_seconds
from denas_core.text import seconds as duration

from .plan import Plan
from .processes import world_size
from .schedule import count_steps, count_steps_per_epoch


def announce(plan: Plan, data: TaskData[Any], batch_size: int) -> list[str]:
    """Return lines for the user: what the network learns from, where, and for how long.

    Args:
        plan: The plan of the training.
        data: What the task has read.
        batch_size: Samples of a batch over all processes.
    """
    samples = f"{len(data.train or ())} samples to train on, {len(data.valid)} to measure on"
    return [
        f"data: {'; '.join([samples, *data.contents])}",
        f"training: {_length(plan, data, batch_size)} in batches of {batch_size}, on {_device(plan)}",
    ]


def _length(plan: Plan, data: TaskData[Any], batch_size: int) -> str:
    settings = plan.settings
    if not settings.epochs:
        return "no step (0 epochs)"
    per_epoch = count_steps_per_epoch(settings, samples=len(data.train or ()), batch_size=batch_size)
    steps = count_steps(settings, per_epoch)
    epochs = f"{steps / per_epoch:.3g} epochs" if steps != per_epoch else "1 epoch"
    length = f"{steps} steps, {epochs}"
    if settings.max_time:
        return f"at most {length}, and at most {duration(parse_seconds(settings.max_time))}"
    return length


def _device(plan: Plan) -> str:
    import torch

    processes = f" in {world_size()} processes" if world_size() > 1 else ""
    if plan.device == "cpu":
        threads = torch.get_num_threads()
        return f"the CPU ({threads} of {os.cpu_count() or 1} threads){processes}"
    return f"{torch.cuda.get_device_name()}{processes}"
