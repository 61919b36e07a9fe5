"""Networks of `hf/auto` with the facts of a task's example, as if they had been trained on it, and their exports."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from denas_core import Predictor, Registry, TrainedModel, save_model
from denas_core.models import build_network, export_model
from denas_core.models.export import Export

from .tiny_models import CONFIGS

HISTORY = {"data": "/home/someone/pictures", "weights": "fresh"}


def trained_model(folder: Path, config: str, task_id: str, **options: Any) -> TrainedModel:
    """Return a network whose answers differ clearly between inputs.

    Args:
        folder: An empty folder for the data of the example.
        config: One of `CONFIGS`.
        task_id: The task.
        options: Settings of the configuration that differ.
    """
    registry = Registry.discover()
    space = registry.create("space", "hf/auto", {"config": {**CONFIGS[config], **options}, "seq_len": 8})
    task = registry.create("task", task_id)
    if hasattr(task, "query_length"):
        task = dataclasses.replace(task, query_length=12).named(task.id)
    folder.mkdir(exist_ok=True)
    facts = task.read(task.example(folder, space), space).facts
    arch = space.smallest()
    assert arch is not None
    network = space.load(build_network(space, arch, task=task, facts=facts), arch, seed=0).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith(("classifier.", "qa_outputs.")):
                parameter.mul_(30)
    return TrainedModel(
        space=space,
        arch=arch,
        network=network,
        task=task,
        facts=facts,
        metrics={"accuracy": 0.5},
        history=HISTORY,
    )


def exported(model: TrainedModel, folder: Path, form: str, **options: Any) -> Export:
    """Return an export of a model into a folder."""
    return export_model(Registry.discover().create("exporter", form, options), model, folder)


def predictor_of(model: TrainedModel, folder: Path) -> Predictor:
    """Return a predictor of a model, which is saved into a folder."""
    save_model(folder, model)
    return Predictor.load(folder)
