"""How long an epoch takes, by a few batches of which nothing is kept, or by the log of a training that has ended."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.task import TaskData
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.trained import build_network
from denas_core.system.atomic import storage_errors
from denas_core.training.observers import LOG
from denas_core.training.plan import Plan

BLOCKS, LEAST_BLOCKS = 4, 2
"""Blocks of steps that are timed. The quickest one counts: other work on the machine seldom disturbs all of them."""


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
        seconds: Seconds that this may take; at least three batches are trained on.
    """
    import torch

    samples = data.train
    assert samples is not None, "a training has samples"
    settings, space, task = plan.settings, plan.space, plan.task
    size = max(1, min(settings.batch_size, len(samples)))
    with plugin_errors(f"training {space.id!r} for {task.id!r}", guard=False):
        structure = build_network(space, plan.arch, task=task, facts=data.facts)
        network = space.load(structure, plan.arch, seed=settings.seed, weights=plan.weights())
        network = network.to(plan.device).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
        rows = itertools.cycle(range(len(samples)))

        def train() -> None:
            batch, targets = task.collate([samples.sample(row) for row in itertools.islice(rows, size)])
            batch = batch.to(device=plan.device)
            targets = {name: tensor.to(plan.device) for name, tensor in targets.items()}
            loss = task.loss(space.forward(network, batch), targets)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            float(loss.detach())

        # The first batch loads and allocates what the others find.
        train()
        step = _quickest(train, seconds)
    evaluation = step / size / 2 * len(data.valid)
    return Pace(batch=step, steps=max(1, len(samples) // size), evaluation=evaluation)


def pace_of_training(directory: Path) -> Pace | None:
    """Return the speed of a training by its log; None if it has not logged a loss and an evaluation.

    Of the longer blocks of steps between two rows, and of the evaluations, the quickest counts.

    Args:
        directory: The directory of the training, which may have been stopped.

    Raises:
        StorageError: the log cannot be read.
    """
    blocks, evaluations = list[tuple[int, float]](), list[float]()
    before: Mapping[str, Any] = {"step": 0, "epoch": 0.0, "seconds": 0.0}
    for row in _rows(directory / LOG):
        steps, seconds = row["step"] - before["step"], row["seconds"] - before["seconds"]
        if "loss" in row and steps:
            blocks.append((steps, seconds))
        elif "metrics" in row and not steps:
            evaluations.append(seconds)
        before = row
    if not blocks or not evaluations:
        return None
    # The last block of an epoch can have so few steps that its time says little.
    longest = max(steps for steps, _ in blocks)
    batch = min(seconds / steps for steps, seconds in blocks if 2 * steps >= longest)
    steps_of_epoch = max(1, round(before["step"] / before["epoch"]))
    return Pace(batch=batch, steps=steps_of_epoch, evaluation=min(evaluations))


def _rows(path: Path) -> list[Mapping[str, Any]]:
    with storage_errors(path):
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows: list[Mapping[str, Any]] = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            # A process that was ended can leave its last row incomplete.
            break
    return rows


def _quickest(train: Callable[[], None], seconds: float) -> float:
    """Return the seconds of one step in the quickest of some blocks of steps."""
    blocks: list[float] = []
    began = time.monotonic()
    while len(blocks) < LEAST_BLOCKS or time.monotonic() < began + seconds:
        start, count = time.monotonic(), 0
        while not count or time.monotonic() < start + seconds / BLOCKS:
            train()
            count += 1
        blocks.append((time.monotonic() - start) / count)
    return min(blocks)
