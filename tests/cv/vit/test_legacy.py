"""The original's ViT configurations, of a search and of trainings, become ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from tests.core.legacy.imports import CLASSIC, EVOLUTION, imported, keys_by_fate, plan, set_up, train_briefly

# Written for this test: every key that the original reads, with its default values.
SEARCH = """\
{domain: vit, model_type: transformer, search_engine: EvolutionarySearchEngine, batch_size: 64, max_epochs: 10,
random_max_epochs: 1000, scale_factor: 10, select_num: 50, population_num: 50, m_prob: 0.2, s_prob: 0.4,
crossover_num: 25, mutation_num: 25, max_param_limits: 100, min_param_limits: 1, img_size: 224, patch_size: 16,
drop_rate: 0.0, drop_path_rate: 0.1, max_relative_position: 14, gp: true, relative_position: true, change_qkv: true,
abs_pos: true, seed: 0, expressivity_weight: 0, complexity_weight: 0, diversity_weight: 1, saliency_weight: 1,
latency_weight: 10000, num_classes: 10, SUPERNET: {MLP_RATIO: 4.0, NUM_HEADS: 10, EMBED_DIM: 640, DEPTH: 16},
SEARCH_SPACE: {MLP_RATIO: [3.0, 3.5, 4.0], NUM_HEADS: [3, 4, 5, 6, 7, 9, 10], DEPTH: [12, 13, 14, 15, 16],
  EMBED_DIM: [192, 216, 240, 320, 384, 448, 528, 576, 624]}}
"""
TRAINING = """\
{domain: vit, train_epochs: 1, eval_epochs: 1, input_size: 224, best_model_structure: best.txt, num_classes: 1000,
dist_backend: gloo, train_batch_size: 128, eval_batch_size: 128, train_data_path: /data/train, val_data_path: /data/val,
data_set: ImageNet, output_dir: ./, num_workers: 10, pin_mem: true, eval_metric: accuracy, learning_rate: 0.001,
momentum: 0.9, weight_decay: 0.01, optimizer: SGD, criterion: CrossEntropyLoss, lr_scheduler: CosineAnnealingLR,
print_freq: 10, mode: train, gp: true, change_qkv: true, relative_position: true, drop_path: 0.1,
max_relative_position: 14, no_abs_pos: false, patch_size: 16, drop: 0.0, metric_threshold: 94, color_jitter: 0.4,
aa: rand-m9-mstd0.5-inc1, smoothing: 0.1, train_interpolation: bicubic, reprob: 0.25, remode: pixel, recount: 1,
SUPERNET: {MLP_RATIO: 4.0, NUM_HEADS: 10, EMBED_DIM: 640, DEPTH: 16}}
"""
SMALLEST = str((12, *[3.0] * 12, *[3] * 12, 192))


def test_the_default_search_is_of_the_space_of_the_preset() -> None:
    found = imported(SEARCH)
    setup = set_up(found)
    assert setup.space.options() == Registry.discover().create("space", "cv/vit:denas").options()
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [("params", 1e8), ("params", 1e6)]
    assert setup.budget.candidates == 1000
    assert found.document["strategy"] == EVOLUTION
    assert found.document["score"] == CLASSIC
    fates = keys_by_fate(found)
    assert fates["unused"] == {"batch_size", "random_max_epochs", "expressivity_weight", "complexity_weight"}
    assert fates["missing"] == {"scale_factor", "drop_rate", "SUPERNET", "latency_weight"}
    assert "unknown" not in fates


def test_flags_and_sizes_reach_the_space() -> None:
    found = imported(
        "{domain: vit, img_size: 32, patch_size: 4, gp: false, relative_position: false, change_qkv: false, "
        "abs_pos: false, num_classes: 5, SEARCH_SPACE: {DEPTH: [3, 2], MLP_RATIO: [4]}}"
    )
    assert found.document["space"] == {
        "name": "cv/vit",
        **{"image_size": 32, "patch_size": 4, "global_pooling": False, "relative_position": False},
        **{"head_size": 0, "absolute_position": False, "classes": 5},
        **{"depths": [2, 3], "mlp_ratios": [4.0]},
    }


def test_the_training_on_imagenet_becomes_one_that_train_accepts(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(SMALLEST)
    found = imported(TRAINING, best_model_structure=str(tmp_path / "best.txt"))
    planned = plan(found)
    assert (planned.space.options()["classes"], planned.arch["depth"]) == (1000, 12)
    assert planned.data == Path("/data")
    wanted = {"rand_augment": 2, "magnitude": 9, "erasing": 0.25, "smallest_crop": 0.08}
    assert wanted.items() <= planned.task.options().items()
    fates = keys_by_fate(found)
    assert fates["unused"] == {"pin_mem", "mode", "smoothing", "color_jitter"}
    assert fates["missing"] == {"eval_batch_size", "SUPERNET", "drop", "train_interpolation"}
    assert "unknown" not in fates
    assert imported(TRAINING, aa=None).outcomes["color_jitter"].fate == "missing"


def test_an_imported_training_runs(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(SMALLEST)
    sizes = {"input_size": 16, "num_classes": 3, "num_workers": 0, "train_batch_size": 6, "no_abs_pos": True}
    found = imported(TRAINING, best_model_structure=str(tmp_path / "best.txt"), **sizes)
    assert 0 <= train_briefly(found, tmp_path) <= 1


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (SEARCH, "gp", 1),
        *((SEARCH, "SEARCH_SPACE", value) for value in ([1], {"HIDDEN": [2]})),
        *((SEARCH, "SEARCH_SPACE", {"DEPTH": value}) for value in ([], [2.5])),
        *((TRAINING, key, "other") for key in ("data_set", "aa", "optimizer", "lr_scheduler")),
        (TRAINING, "metric_threshold", "other"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_key(text: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"key '{key}' is .*old.conf.*must be"):
        imported(text, **{key: value})
