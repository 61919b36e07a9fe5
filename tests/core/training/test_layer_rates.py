"""Learning rates by layer, on groups worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from denas_core.errors import ConfigError
from denas_core.training.layer_rates import parameter_layers
from denas_core.training.optimizer import make_optimizer
from denas_core.training.settings import TrainingSettings
from denas_core.values.views import WeightView

from .trainings import assert_same, last_checkpoint, make_plan, run, weights


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(4)
        self.inner = nn.Linear(4, 4)


class Encoder(nn.Module):
    """Laid out as transformers are: what belongs to a layer is not all in a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 4))
        self.embeddings = nn.ModuleDict({"words": nn.Embedding(5, 4), "norm": nn.LayerNorm(4)})
        self.layer = nn.ModuleList([Block(), Block()])
        self.last_norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 5)


VIEWS = [
    WeightView("embeddings.words.weight", "embed", 0),
    WeightView("layer.0.inner.weight", "attention.q", 1, rows=(0, 2)),
    WeightView("layer.0.inner.weight", "attention.k", 1, rows=(2, 4)),
    WeightView("layer.1.inner.weight", "ffn", 2),
    WeightView("head.weight", "head", 3),
]


def test_what_has_no_view_follows_its_nearest_neighbour() -> None:
    assert parameter_layers(Encoder(), VIEWS) == {
        "token": 0,
        "embeddings.words.weight": 0,
        "embeddings.norm.weight": 0,
        "embeddings.norm.bias": 0,
        "layer.0.first_norm.weight": 1,
        "layer.0.first_norm.bias": 1,
        "layer.0.inner.weight": 1,
        "layer.0.inner.bias": 1,
        "layer.1.first_norm.weight": 2,
        "layer.1.first_norm.bias": 2,
        "layer.1.inner.weight": 2,
        "layer.1.inner.bias": 2,
        "last_norm.weight": 2,
        "last_norm.bias": 2,
        "head.weight": 3,
        "head.bias": 3,
    }


def test_layer_10_is_no_neighbour_of_layer_1() -> None:
    model = nn.ModuleDict({"layer": nn.ModuleList([Block() for _ in range(11)])})
    views = [WeightView(f"layer.{i}.inner.weight", "ffn", i) for i in range(11)]
    layers = parameter_layers(model, views)
    assert all(layer == int(name.split(".")[1]) for name, layer in layers.items())


def test_a_tied_weight_learns_as_the_first_layer_that_has_it() -> None:
    model = Encoder()
    model.head.weight = model.embeddings["words"].weight  # type: ignore[assignment]
    layers = parameter_layers(model, VIEWS)
    assert layers["embeddings.words.weight"] == 0 and "head.weight" not in layers
    assert layers["head.bias"] == 2, "what is left of the head follows what comes before it"


def test_every_layer_learns_at_its_rate_and_decays_as_before() -> None:
    model = Encoder()
    model.layer[0].requires_grad_(False)
    settings = TrainingSettings(lr=0.8, layer_decay=0.5, weight_decay=0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = [
        (group["lr"], group["weight_decay"], {names[id(p)] for p in group["params"]})
        for group in make_optimizer(model, settings, lambda: VIEWS).param_groups
    ]
    second = {f"layer.1.{name}" for name in ("first_norm.weight", "first_norm.bias", "inner.bias")}
    norm = {"embeddings.norm.weight", "embeddings.norm.bias"}
    assert groups == [
        (0.8, 0.1, {"head.weight"}),
        (0.8, 0.0, {"head.bias"}),
        (0.4, 0.1, {"layer.1.inner.weight"}),
        (0.4, 0.0, {*second, "last_norm.weight", "last_norm.bias"}),
        (0.1, 0.1, {"token", "embeddings.words.weight"}),
        (0.1, 0.0, norm),
    ]
    for optimizer in ("sgd", "adamw"):
        plain = make_optimizer(model, TrainingSettings(optimizer=optimizer, lr=0.8), lambda: VIEWS)
        assert [group["lr"] for group in plain.param_groups] == [0.8, 0.8]


def test_without_views_nobody_knows_the_layers() -> None:
    with pytest.raises(ConfigError, match=r"layer_decay=0\.5 needs the layers .* does not name them; use"):
        make_optimizer(Encoder(), TrainingSettings(layer_decay=0.5))


def test_a_schedule_scales_all_rates_alike_and_a_resume_goes_on_with_them(
    points: Path, tmp_path: Path
) -> None:
    # Two layers and a head, which are layers 0, 1 and 2 by the default views; without warm-up, the first step of sgd
    # moves each by its own rate times its gradient.
    settings = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "warmup": 0, "lr": 0.5}
    settings |= {"schedule": "linear", "layer_decay": 0.1, "checkpoint_steps": 1, "epochs": 1}
    settings |= {"task": {"jitter": 0.0}, "batch_size": 60}
    run(make_plan(points, **settings), tmp_path / "decayed")  # type: ignore[arg-type]
    run(make_plan(points, **{**settings, "layer_decay": 1.0}), tmp_path / "even")  # type: ignore[arg-type]
    run(make_plan(points, **{**settings, "epochs": 0}), tmp_path / "start")  # type: ignore[arg-type]
    start = weights(tmp_path / "start" / "model" / "model.safetensors")
    first = {
        name: weights(tmp_path / name / "checkpoints/step-000000001/weights.safetensors")
        for name in ("decayed", "even")
    }
    for name, rate in (
        ("0.weight", 0.01),
        ("0.bias", 0.01),
        ("3.weight", 0.1),
        ("3.bias", 0.1),
        ("6.weight", 1.0),
    ):
        moved = {key: tensors[name] - start[name] for key, tensors in first.items()}
        torch.testing.assert_close(moved["decayed"], rate * moved["even"], rtol=1e-3, atol=1e-7)

    plan = make_plan(points, **settings)  # type: ignore[arg-type]
    run(plan, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    (last_checkpoint(tmp_path / "out") / "manifest.json").unlink()
    run(plan, tmp_path / "out", resume=True)
    assert_same(weights(tmp_path / "out"), weights(tmp_path / "decayed"))
