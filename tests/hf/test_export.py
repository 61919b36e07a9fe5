"""Networks of the families leave as folders that stock transformers loads, and as programs of plain PyTorch."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.contracts.task import head_width
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.export import export_model
from denas_core.networks.heads import PositionHead
from denas_core.registry.registry import Registry

from .tiny_models import CONFIGS, space_of

FAMILIES = ("bert", "roberta", "albert", "deberta", "clip", "gpt2", "llama", "t5", "vit", "wav2vec2")
HEADLESS = {"clip", "t5"}
"""What transformers has no class of with a head for whole samples, or not one that takes what is pooled."""


def model_of(name: str, *, outputs: int | None, by_position: bool = False) -> TrainedModel:
    """Return a network with fresh weights under a head of so many outputs."""
    space = space_of(name)
    arch = space.sample(random.Random(0))
    head: nn.Module | None = None
    if outputs is not None:
        with torch.device("meta"):
            width = head_width(space, space.build(arch, head=nn.Identity()))
        head = (PositionHead if by_position else nn.Linear)(width, outputs)
    network = space.load(space.build(arch, head=head), arch, seed=0).eval()
    return TrainedModel(space=space, arch=arch, network=network, facts={"labels": ["a", "b", "c"]})


def export(model: TrainedModel, directory: Path, form: str) -> Any:
    return export_model(Registry.discover().create("exporter", form), model, directory)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_under_the_head_of_a_task_is_of_tier_a(name: str, tmp_path: Path) -> None:
    model = model_of(name, outputs=3)
    if name in HEADLESS:
        with pytest.raises(
            ConfigError, match="is a HeadedNetwork, not a model of transformers, so it cannot"
        ):
            export(model, tmp_path / "out", "huggingface")
        model = model_of(name, outputs=None)
    done = export(model, tmp_path / "out", "huggingface")
    assert done.difference <= 1e-6
    assert done.usage.startswith("# tier A: transformers alone loads it\nfrom transformers import AutoModel")
    config = json.loads((done.path / "config.json").read_text())
    assert config["model_type"] == CONFIGS[name]["model_type"]
    assert config["architectures"] == [type(model.network).__name__]
    assert (config.get("label2id") == {"a": 0, "b": 1, "c": 2}) == (name not in HEADLESS)


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_a_network_that_answers_questions_is_of_tier_a(name: str, tmp_path: Path) -> None:
    done = export(model_of(name, outputs=2, by_position=True), tmp_path / "out", "huggingface")
    assert done.difference <= 1e-6
    assert "AutoModelForQuestionAnswering" in done.usage


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "t5"])
def test_a_network_is_traced_for_batches_of_any_size(name: str, tmp_path: Path) -> None:
    assert export(model_of(name, outputs=3), tmp_path / "out", "torch-export").difference <= 1e-6
