"""Trainings of the toy plugin, in this process or as the command a user types."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from denas_points.space import Mlp
from denas_points.task import Side
from safetensors.torch import load_file
from torch import Tensor

from denas_core.registry.registry import Registry
from denas_core.training.plan import Plan
from denas_core.training.result import TrainingResult
from denas_core.training.session import train
from denas_core.training.settings import make_settings
from denas_core.values.architecture import Architecture

PLUGIN = Path(__file__).parent / "plugin"


def write_points(path: Path, count: int = 160, *, seed: int = 0) -> Path:
    """Write points on both sides of a parabola."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
        lines.append(f"{x} {y} {int(y > x * x - 0.4)}")
    path.write_text("\n".join(lines))
    return path


def make_plan(data: Path, *, task: dict[str, Any] | None = None, **settings: Any) -> Plan:
    """Return the plan of a short training; options of the space are given as ``space``, its id as ``id``."""
    id = settings.pop("id", "points/mlp")
    space: Mlp = Registry.discover().create("space", id, settings.pop("space", {}))
    side: Side = Registry.discover().create("task", "points/side", task)
    teacher = settings.pop("teacher", None)
    return Plan(
        space=space,
        arch=small(space),
        task=side,
        settings=make_settings(side.id, side.recipe, {"epochs": 3, "keep_checkpoints": True, **settings}),
        data=data,
        teacher=teacher,
        source="test",
    )


def small(space: Mlp) -> Architecture:
    """Return an architecture of two layers."""
    return space.architecture({"depth": 2, "width": 8})


def run(plan: Plan, directory: Path, **options: Any) -> TrainingResult:
    """Train in this process."""
    return train(plan, directory, registry=Registry.discover(), **options)


def weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of the last checkpoint of a training, or those in a file."""
    return load_file(path if path.is_file() else last_checkpoint(path) / "weights.safetensors")


def last_checkpoint(directory: Path) -> Path:
    """Return the last checkpoint of a training by its name."""
    return max((directory / "checkpoints").glob("step-*"))


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    """Check that two sets of weights are the same bit for bit."""
    assert first.keys() == second.keys() and first
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
