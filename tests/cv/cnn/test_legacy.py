"""The original's CNN configurations, of a search and of a training, become ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.legacy.page import commented_yaml
from denas_core.system.guarded_yaml import load_mapping
from tests.core.legacy.imports import CLASSIC, EVOLUTION, imported, keys_by_fate, plan, set_up
from tests.core.toy_searches import denas_here

START = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)

# Written for this test: every key that the original reads, with its default values and its demo's bound.
SEARCH = f"""\
{{model_type: cnn, search_engine: EvolutionarySearchEngine, batch_size: 64, random_max_epochs: 10000, max_epochs: 1000,
scale_factor: 10, select_num: 512, population_num: 0, mutation_num: 1, crossover_num: 0, plainnet_struct: "{START}",
no_reslink: false, no_BN: false, use_se: false, budget_num_layers: 18, budget_model_size: 1000000, budget_flops: 1e7,
img_size: 32, num_classes: 100, expressivity_weight: 1, complexity_weight: 1, diversity_weight: 0, saliency_weight: 1,
latency_weight: 0, seed: 0}}
"""
TRAINING = """\
{domain: cnn, train_epochs: 200, eval_epochs: 1, input_size: 32, best_model_structure: best.txt, num_classes: 10,
dist_backend: gloo, train_batch_size: 128, eval_batch_size: 128, data_path: ~/data, data_set: CIFAR10, output_dir: ./,
num_workers: 10, pin_mem: true, eval_metric: accuracy, learning_rate: 0.01, momentum: 0.9, weight_decay: 0.0005,
optimizer: SGD, criterion: CrossEntropyLoss, lr_scheduler: CosineAnnealingLR, print_freq: 10, metric_threshold: 94,
mode: train}
"""


def test_the_default_search_becomes_a_valid_one(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text(SEARCH)
    done = denas_here("config", "import", str(tmp_path / "old.conf"), "--out", str(tmp_path / "new.yaml"))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"next:\n  denas search --config {tmp_path / 'new.yaml'}\n" in done.stderr
    assert denas_here("config", "validate", str(tmp_path / "new.yaml")).returncode == 0
    assert load_mapping((tmp_path / "new.yaml").read_text(), origin="new.yaml") == {
        "space": {"name": "cv/cnn", "classes": 100},
        "score": CLASSIC,
        "strategy": EVOLUTION,
        "constraints": ["params<=1000000", "flops<=20000000"],
        "budget": 1000,
    }
    setup = set_up(imported(SEARCH))
    assert not setup.problem.violations(setup.space.parse(START))
    again = denas_here("config", "import", str(tmp_path / "old.conf"), "-o", str(tmp_path / "new.yaml"))
    assert again.returncode == 2 and "exists" in again.stderr


def test_the_account_is_there_for_people_and_for_programs(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text(SEARCH)
    done = json.loads(denas_here("config", "import", str(tmp_path / "old.conf"), "--json").stdout)
    assert (done["schema"], done["kind"], done["refusal"]) == ("denas.import/1", "search", None)
    fate = {entry["key"]: entry["fate"] for entry in done["keys"]}
    assert (fate["no_BN"], fate["scale_factor"], fate["seed"]) == ("unused", "missing", "default")
    assert "unknown" not in fate.values()
    told = denas_here("config", "import", str(tmp_path / "old.conf")).stderr
    assert "flag got lost" in " ".join(told.split())


def test_sizes_and_latency_are_translated() -> None:
    found = imported("{domain: cnn, batch_size: 32, budget_latency_max: 0.0005, budget_latency_min: 1e-4}")
    assert found.document["constraints"] == ["latency_ms<=16", "latency_ms>=3.2"]
    assert found.document["probe"] == {"name": "builtin/wall-clock", "batch_size": 32}
    assert found.document["score"] == {**CLASSIC, "batch_size": 32}
    set_up(found)
    large = imported("{domain: cnn, img_size: 224, num_classes: 1000}").document["space"]
    assert large == {"name": "cv/cnn", "image_size": 224, "skeleton": "imagenet", "classes": 1000}
    mobile = START.replace("SuperResK3K3(8,", "SuperResIDWE2K3(8,").replace("RELU(3,", "RELU(1,")
    space = imported("domain: cnn", plainnet_struct=mobile).document["space"]
    assert space == {"name": "cv/cnn", "channels": 1, "inverted": True}
    assert "cannot be read" in imported("domain: cnn", plainnet_struct="X(3").outcomes["plainnet_struct"].note


@pytest.mark.parametrize(("layers", "each"), [(14, None), (13, 2), (10, 2), (9, 1), (6, 1), (5, 1)])
def test_a_bound_on_all_layers_becomes_one_on_each_block(layers: int, each: int | None) -> None:
    found = imported("domain: cnn", budget_num_layers=layers)
    assert found.document["space"].get("max_layers") == each
    space = set_up(found).space
    full = space.full()
    assert full is not None
    assert sum(block.layers for block in space.blocks(full)) <= max(layers, 6)  # type: ignore[attr-defined]


def test_a_search_that_would_be_refused_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "old.conf").write_text("domain: cnn\nbudget_model_size: 10\n")
    done = denas_here("config", "import", str(tmp_path / "old.conf"))
    assert done.returncode == 0
    assert "refuses this as it is: no architecture of 'cv/cnn' has params<=10" in done.stderr
    assert load_mapping(done.stdout, origin="stdout")["constraints"] == ["params<=10"]


def test_the_default_training_becomes_one_that_train_accepts(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(START)
    found = imported(TRAINING, best_model_structure=str(tmp_path / "best.txt"))
    planned = plan(found)
    assert planned.space.format(planned.arch) == START
    settings = planned.settings
    assert (settings.epochs, settings.batch_size, settings.optimizer, settings.lr) == (200, 128, "sgd", 0.01)
    assert (settings.warmup, settings.label_smoothing, settings.metric_threshold) == (0, 0, 0.94)
    assert planned.data == Path("~/data/cifar-10-batches-py").expanduser()
    fates = keys_by_fate(found)
    assert fates["unused"] == {"pin_mem", "mode"} and fates["missing"] == {"eval_batch_size"}
    assert "unknown" not in fates


def test_an_imported_training_runs(tmp_path: Path) -> None:
    best = tmp_path / "best.txt"
    best.write_text(START)
    sizes = {"train_epochs": 1, "input_size": 8, "num_classes": 3, "num_workers": 0, "train_batch_size": 4}
    found = imported(TRAINING, best_model_structure=str(best), **sizes)
    planned = plan(found)
    data = planned.task.example(tmp_path / "data", planned.space)
    (tmp_path / "new.yaml").write_text(commented_yaml(found, origin="old.conf"))
    out = tmp_path / "training"
    options = ("--data", str(data), "--out", str(out), "--device", "cpu", "--quiet")
    done = denas_here("train", "--config", str(tmp_path / "new.yaml"), *options)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "settings.json").read_text())["settings"]["optimizer"] == "sgd"
    assert (out / "model").is_dir()
