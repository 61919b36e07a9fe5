"""A trained model is one file: whole, or refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

from denas_core import Registry, TrainedModel, load_model, save_model
from denas_core.errors import ConfigError, StoreDamaged
from denas_core.registry.loading import Plugin
from denas_core.testing.samples.spaces import SampleCNN

REGISTRY = Registry(
    [
        Plugin(
            name="sample",
            distribution="sample",
            version="1",
            status="ok",
            components={"space": {"cnn": SampleCNN}},
        )
    ]
)


@pytest.fixture
def model(tmp_path: Path) -> TrainedModel:
    space = REGISTRY.create("space", "sample/cnn")
    arch = space.smallest()
    network = space.load(space.build(arch), arch, seed=3).eval()
    made = TrainedModel(
        space=space, arch=arch, network=network, facts={"labels": ["a", "b"]}, metrics={"accuracy": 0.5}
    )
    save_model(tmp_path / "model", made)
    return made


def test_what_was_saved_is_what_is_loaded(model: TrainedModel, tmp_path: Path) -> None:
    loaded = load_model(tmp_path / "model", REGISTRY)
    assert (loaded.arch, loaded.facts, loaded.metrics) == (model.arch, model.facts, model.metrics)
    assert loaded.space == model.space
    before, after = model.network.state_dict(), loaded.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not loaded.network.training


def test_the_card_beside_the_weights_is_for_readers_alone(model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "model" / "model.json"
    assert json.loads(path.read_text())["metrics"] == {"accuracy": 0.5}
    path.write_text("{")
    assert load_model(tmp_path / "model", REGISTRY).metrics == {"accuracy": 0.5}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_torn_file_is_refused(share: float, model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "model" / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(StoreDamaged, match="is damaged"):
        load_model(tmp_path / "model", REGISTRY)


def test_a_flipped_bit_of_a_weight_is_found(model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "model" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="does not hold what was written"):
        load_model(tmp_path / "model", REGISTRY)


def test_a_changed_card_is_found(model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "model" / "model.safetensors"
    content = path.read_bytes()
    changed = content.replace(rb"[\"a\", \"b\"]", rb"[\"a\", \"c\"]")
    assert changed != content
    path.write_bytes(changed)
    with pytest.raises(StoreDamaged, match="does not hold what was written"):
        load_model(tmp_path / "model", REGISTRY)


def test_tied_weights_are_kept(model: TrainedModel, tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network[1].weight = network[0].weight
    save_model(tmp_path / "tied", dataclasses.replace(model, network=network))
    with safe_open(tmp_path / "tied" / "model.safetensors", "pt") as file:
        assert torch.equal(file.get_tensor("0.weight"), file.get_tensor("1.weight"))


def test_weights_of_another_network_are_refused(model: TrainedModel, tmp_path: Path) -> None:
    save_model(tmp_path / "other", dataclasses.replace(model, network=nn.Linear(2, 2)))
    with pytest.raises(ConfigError, match="do not fit the network"):
        load_model(tmp_path / "other", REGISTRY)


def test_weights_of_others_and_empty_folders_are_no_models(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(ConfigError, match="train one with 'denas train'"):
        load_model(tmp_path, REGISTRY)
    save_file({"x": torch.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="is not a model of the form"):
        load_model(tmp_path, REGISTRY)
