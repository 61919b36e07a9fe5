"""Models with fresh weights on a disk, as a training would leave them, to ask for answers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch

from denas_core import SearchSpace, Task, TaskData, TrainedModel, save_model
from denas_core.models import build_network


def saved_model(
    task: Task[Any], space: SearchSpace, folder: Path
) -> tuple[Path, TrainedModel, TaskData[Any]]:
    """Write a model and an example of its data, and return the folder of the model, the model, and the data."""
    (folder / "data").mkdir()
    read = task.read(task.example(folder / "data", space), space)
    arch = space.smallest() or space.sample(random.Random(0))
    network = space.load(build_network(space, arch, task=task, facts=read.facts), arch, seed=0).eval()
    model = TrainedModel(space=space, arch=arch, network=network, task=task, facts=dict(read.facts))
    save_model(folder / "model", model)
    return folder / "model", model, read


def outputs_for(model: TrainedModel, read: TaskData[Any], index: int) -> Any:
    """Return the outputs of the network for one sample that is measured on."""
    assert model.task is not None
    batch, _ = model.task.collate([read.valid.sample(index)])
    with torch.inference_mode():
        return model.space.forward(model.network, batch)
