"""A recogniser so small that it learns the tones of the example in seconds."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import torch

from denas_asr.task.recognition import SpeechRecognition
from denas_asr.transformer.space import Transformer
from denas_core.registry.registry import Registry
from denas_core.training.plan import Plan
from denas_core.training.result import TrainingResult
from denas_core.training.session import train
from denas_core.training.settings import make_settings

OPTIONS: dict[str, Any] = {
    "depths": [1],
    "embed_dims": [32],
    "mlp_ratios": [2.0],
    "heads": [2],
    "vocabulary": 11,
    "mels": 20,
    "channels": 4,
    "decoder_layers": 1,
    "decoder_heads": 2,
    "decoder_hidden": 32,
    "dropout": 0.0,
    "seconds": 0.5,
}
PARTS: dict[str, Any] = {"train": "train-example", "dev": "dev-same"}
PLAIN: dict[str, Any] = {**PARTS, "speed": [100], "spec_augment": False}
"""What is learnt from is measured on, as it is."""


def toy_space() -> Transformer:
    """Return a space of one network."""
    space: Transformer = Registry.discover().create("space", "asr/transformer", OPTIONS)
    return space


def toy_task(**options: Any) -> SpeechRecognition:
    """Return the task."""
    task: SpeechRecognition = Registry.discover().create("task", "asr/speech-recognition", options)
    return task


def toy_data(folder: Path) -> Path:
    """Write the example, and the part to learn from once more under the name ``dev-same``."""
    data = toy_task().example(folder, toy_space())
    shutil.copytree(data / "train-example", data / "dev-same")
    return data


def toy_plan(data: Path, *, task: dict[str, Any] | None = None, **settings: Any) -> Plan:
    """Return the plan of a training."""
    space, chosen = toy_space(), toy_task(**(PLAIN if task is None else task))
    given = {"batch_size": 6, "epochs": 2, **settings}
    return Plan(
        space=space,
        arch=space.full(),
        task=chosen,
        settings=make_settings(chosen.id, chosen.recipe, given),
        data=data,
        source="test",
    )


def toy_training(plan: Plan, out: Path, **options: Any) -> TrainingResult:
    """Train in this process, and leave torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        return train(plan, out, registry=Registry.discover(), **options)


def with_task(plan: Plan, **options: Any) -> Plan:
    """Return a plan with other options of its task."""
    return dataclasses.replace(plan, task=toy_task(**{**plan.task.options(), **options}))
