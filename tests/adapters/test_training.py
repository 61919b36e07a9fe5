"""A search, a training and a prediction with adapters: only adapters and head change, on any machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from denas_core import Registry, load_model
from denas_core.cli import _run
from denas_core.models import find_model
from tests.hf.tiny_models import checkpoint

from .spaces import space_of

SEARCH = [
    "search",
    "adapters/hf",
    "--set",
    "space.seq_len=9",
    "--score",
    "adapters/gain",
    "--device",
    "cpu",
    "-q",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is searched and trained on the example of a task."""
    folder = tmp_path_factory.mktemp("adapters")
    model = shutil.copytree(checkpoint("bert"), folder / "model")
    task = Registry.discover().create("task", "nlp/sst2")
    (folder / "texts").mkdir()
    data = task.example(folder / "texts", space_of())
    options = [
        "--set",
        f"space.model={model}",
        "--set",
        "score.batch_size=4",
        "--data",
        str(data),
        "--task",
        "nlp/sst2",
    ]
    bound = ["--constraint", "trainable_params<=0.5x", "--budget", "6", "--out", str(folder / "run")]
    assert _run([*SEARCH, *options, *bound], debug=True) == 0
    train = ["train", str(folder / "run"), "--data", str(data), "--device", "cpu", "-q"]
    assert _run([*train, "--set", "training.epochs=2", "--set", "training.lr=0.01"], debug=True) == 0
    return folder


def test_the_frozen_weights_are_those_of_the_checkpoint(run: Path) -> None:
    from safetensors.torch import load_file

    shutil.rmtree(run / "model")
    model = load_model(find_model(run / "run"))
    assert model.space.options()["model"] == "" and model.history["weights"] == "inherited"
    original = load_file(checkpoint("bert") / "model.safetensors")
    seen = changed = 0
    for name, parameter in model.network.named_parameters():
        if not parameter.requires_grad:
            base = name.removeprefix("bert.").replace(".base_layer", "")
            assert torch.equal(parameter, original[base]), name
            seen += 1
        elif "lora_B" in name:
            changed += bool(parameter.abs().max() > 0)
    assert seen == len(original) and changed > 0
    best = json.loads((run / "run/best.json").read_text())
    assert sum(best["arch"].values() if "arch" in best else best.values()) > 0


def test_the_optimizer_has_no_state_for_frozen_weights(run: Path) -> None:
    from denas_core.training.optimizer import make_optimizer
    from denas_core.training.settings import TrainingSettings

    network = load_model(find_model(run / "run")).network
    optimizer = make_optimizer(network, TrainingSettings())
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert held == {id(parameter) for parameter in network.parameters() if parameter.requires_grad}


def test_a_trained_model_predicts_and_is_exported(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["predict", str(run / "run"), "--text", "a good film", "--json"], debug=True) == 0
    assert json.loads(capsys.readouterr().out)
    assert _run(["export", str(run / "run"), "--to", "peft"], debug=True) == 0
    out = run / "run/export/peft"
    assert (out / "adapter_config.json").is_file() and (out / "base/model.safetensors").is_file()
    capsys.readouterr()
    assert _run(["predict", str(out), "--text", "a good film", "--json"], debug=True) == 0
    assert json.loads(capsys.readouterr().out)
