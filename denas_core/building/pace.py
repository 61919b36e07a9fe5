"""How long an epoch takes: a few batches are trained on, and nothing of it is kept."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.trained import build_network
from denas_core.training.plan import Plan

LEAST_BATCHES = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The speed of a training on this machine at the moment.

    Attributes:
        batch: Seconds of one step of training.
        steps: Steps of an epoch.
        evaluation: Seconds of one evaluation.
    """

    batch: float
    steps: int
    evaluation: float

    @property
    def epoch(self) -> float:
        """Seconds of an epoch with its evaluation."""
        return self.batch * self.steps + self.evaluation


def measure_pace(plan: Plan, data: TaskData[Any], *, seconds: float = 2.0) -> Pace:
    """Return the speed of a training.

    Args:
        plan: What would be trained.
        data: What the task has read.
        seconds: Seconds that this may take; one batch more than that is trained on.
    """
    import torch

    assert data.train is not None, "a training has samples"
    settings, space, task = plan.settings, plan.space, plan.task
    size = max(1, min(settings.batch_size, len(data.train)))
    with plugin_errors(f"training {space.id!r} for {task.id!r}", guard=False):
        structure = build_network(space, plan.arch, task=task, facts=data.facts)
        network = space.load(structure, plan.arch, seed=settings.seed, weights=plan.weights())
        network = network.to(plan.device).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
        times: list[float] = []
        began = time.monotonic()
        while len(times) < LEAST_BATCHES or time.monotonic() < began + seconds:
            start = time.monotonic()
            rows = [(len(times) * size + place) % len(data.train) for place in range(size)]
            batch, targets = task.collate([data.train.sample(row) for row in rows])
            batch = batch.to(device=plan.device)
            targets = {name: tensor.to(plan.device) for name, tensor in targets.items()}
            loss = task.loss(space.forward(network, batch), targets)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            float(loss.detach())
            times.append(time.monotonic() - start)
        # The first batch loads and allocates what the others find.
        step = sum(times[1:]) / len(times[1:])
        evaluation = step / size / 2 * len(data.valid)
    return Pace(batch=step, steps=max(1, len(data.train) // size), evaluation=evaluation)
