"""A training can begin with residual bodies that return 0; what is scored and what is stored stay the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core import SearchSpace
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.training.plan import Plan
from denas_core.training.session import train
from denas_core.training.settings import make_settings

NAMES = ["cv/cnn:micro", "cv/vit:micro"]


def space_of(name: str) -> SearchSpace:
    space: SearchSpace = Registry.discover().create("space", name, {"image_size": 16})
    return space


@pytest.mark.parametrize(("name", "is_advised"), [("cv/cnn:micro", True), ("cv/vit:micro", False)])
def test_a_training_sets_only_these_weights_to_zero_and_the_model_loads(
    name: str, is_advised: bool, tmp_path: Path
) -> None:
    space, registry = space_of(name), Registry.discover()
    task = registry.create("task", "cv/image-classification")
    (tmp_path / "data").mkdir()
    data = task.example(tmp_path / "data", space)
    arch = space.smallest()
    assert arch is not None
    found: dict[bool | None, dict[str, Any]] = {}
    for zero in (False, True, None):
        settings = make_settings(task.id, task.recipe, {"epochs": 0, "zero_residuals": zero})
        plan = Plan(space=space, arch=arch, task=task, settings=settings, data=data)
        train(plan, tmp_path / str(zero), registry=registry)
        model = load_model(tmp_path / str(zero) / "model")
        assert model.history["zero_residuals"] is (is_advised if zero is None else zero)
        found[zero] = model.network.state_dict()
    ends = set(space.residual_ends(space.build(arch)))
    assert found[False].keys() == found[True].keys() and ends < found[True].keys()
    for key, tensor in found[None].items():
        assert torch.equal(tensor, found[is_advised][key]), key
    for key, tensor in found[True].items():
        assert torch.equal(tensor, torch.zeros_like(tensor) if key in ends else found[False][key]), key


@pytest.mark.parametrize("name", NAMES)
def test_every_residual_body_returns_zero(name: str) -> None:
    space = space_of(name)
    arch = space.full()
    assert arch is not None
    model = space.load(space.build(arch), arch, seed=0)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for end in space.residual_ends(model):
            parameters[end].zero_()
    seen: dict[str, bool] = {}

    def watch(name: str, module: nn.Module) -> None:
        module.register_forward_hook(
            lambda _module, _inputs, output: seen.update({name: not output.count_nonzero()})
        )

    bodies = [
        (each, module)
        for each, module in model.named_modules()
        if each.endswith((".body", ".attention", ".feed_forward"))
        and not each.startswith(("trunk.0.", f"trunk.{len(getattr(model, 'trunk', ())) - 1}."))
    ]
    for each, module in bodies:
        watch(each, module)
    space.forward(model, space.batch(2, seed=0))
    assert len(seen) == len(bodies) == len(space.residual_ends(model)) and all(seen.values())


def test_networks_without_shortcuts_have_no_residual_ends() -> None:
    for name in NAMES:
        space = space_of(name)
        arch = space.smallest()
        assert arch is not None
        assert not space.residual_ends(space.build(arch, variant="plain"))
