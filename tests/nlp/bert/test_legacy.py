"""The original's BERT configurations, of a search and of a training, become ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from tests.core.legacy.imports import CLASSIC, EVOLUTION, imported, keys_by_fate, plan, set_up, train_briefly
from tests.nlp.tiny_bert import save_checkpoint

# Written for this test: every key that the original reads, with its default values.
SEARCH = """\
{domain: bert, model_type: bert, search_engine: EvolutionarySearchEngine, batch_size: 32, random_max_epochs: 1000,
sigopt_max_epochs: 1000, max_epochs: 10, scale_factor: 10, select_num: 50, population_num: 50, m_prob: 0.2, s_prob: 0.4,
crossover_num: 25, mutation_num: 25, supernet_cfg: ../supernet.yaml, pretrained_bert: /data/bert-base-uncased,
pretrained_bert_config: /data/bert-base-uncased/bert_config.json, img_size: 128, max_param_limits: 110,
min_param_limits: 55, seed: 0, expressivity_weight: 0, complexity_weight: 0, diversity_weight: 0.00001,
saliency_weight: 1, latency_weight: 0.01, SUPERNET: {LAYER_NUM: 12, HIDDEN_SIZE: 768},
SEARCH_SPACE: {
  LAYER_NUM: {bounds: {min: 4, max: 12, step: 1}, type: int}, HEAD_NUM: {bounds: {min: 8, max: 12, step: 1}, type: int},
  QKV_SIZE: {bounds: {min: 180, max: 768, step: 12}, type: int},
  HIDDEN_SIZE: {bounds: {min: 128, max: 768, step: 16}, type: int},
  INTERMEDIATE_SIZE: {bounds: {min: 128, max: 3072, step: 32}, type: int}}}
"""
TRAINING = """\
{domain: bert, task_name: squad1, data_set: SQuADv1.1, num_train_examples: 87599, best_model_structure: best.txt,
model: /data/bert/, model_dir: /data/bert/, data_dir: /data/SQuAD/, output_dir: /out/, dist_backend: gloo,
gradient_accumulation_steps: 1, warmup_proportion: 0.05, learning_rate: 0.00008, weight_decay: 0.01, train_epochs: 2,
max_seq_length: 384, doc_stride: 128, train_batch_size: 36, eval_batch_size: 8, eval_step: 500, n_best_size: 20,
max_answer_length: 30, max_query_length: 64, criterion: CrossEntropyQALoss, optimizer: BertAdam, num_labels: 2,
lr_scheduler: warmup_linear, version_2_with_negative: 0, null_score_diff_threshold: 0.0, num_workers: 0, pin_mem: true,
verbose_logging: false, no_cuda: true, do_lower_case: true, profile_flops: true, metric_threshold: None,
eval_metric: qa_f1, num_classes: 768, is_saving_logits: false, logits_dir: /logits/, teacher_model: /data/teacher/,
teacher_model_structure: teacher.txt}
"""


def test_the_default_search_is_of_the_space_of_the_preset() -> None:
    """Without the checkpoint, whose folder is on another machine."""
    found = imported(SEARCH, pretrained_bert=None, pretrained_bert_config=None)
    setup = set_up(found)
    assert setup.space.options() == Registry.discover().create("space", "nlp/bert:denas").options()
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [("params", 110e6), ("params", 55e6)]
    assert setup.budget.candidates == 1000
    assert found.document["space"] == {"name": "nlp/bert:denas"}
    assert found.document["score"] == {**CLASSIC, "synaptic_batch_size": 32}


def test_the_account_says_of_every_key_what_became_of_it() -> None:
    fates = keys_by_fate(imported(SEARCH))
    assert fates["unused"] == {
        *("random_max_epochs", "sigopt_max_epochs", "SUPERNET", "supernet_cfg"),
        *("expressivity_weight", "complexity_weight"),
    }
    assert fates["missing"] == {"scale_factor", "diversity_weight", "latency_weight"}
    assert fates["elsewhere"] == {"pretrained_bert_config"} and "unknown" not in fates


def test_the_checkpoint_is_what_is_scored(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    found = imported("{model_type: bert, img_size: 9}", pretrained_bert=str(folder))
    assert found.document == {
        "space": {"name": "nlp/bert:denas", "seq_len": 9, "checkpoint": str(folder)},
        "score": {**CLASSIC, "weights_from": "inherited"},
        "strategy": EVOLUTION,
    }
    assert set_up(found).space.inherits
    alone = imported("model_type: bert", pretrained_bert_config=str(folder / "config.json"))
    assert not set_up(alone).space.inherits


def test_bounds_steps_and_latency_are_translated() -> None:
    found = imported(
        "{domain: bert, batch_size: 4, budget_latency_max: 90, SEARCH_SPACE: {"
        "LAYER_NUM: {bounds: {min: 2, max: 4, step: 2}}, HIDDEN_SIZE: {min: 100, max: 170, step: 50}}}"
    )
    space = {"name": "nlp/bert:denas", "layers": [2, 3, 4], "hidden": [100, 150]}
    assert found.document["space"] == space
    assert found.document["constraints"] == ["latency_ms<=90"]
    assert found.document["probe"] == {"name": "builtin/wall-clock", "batch_size": 4}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pretrained_bert", 3),
        ("SEARCH_SPACE", [1]),
        ("SEARCH_SPACE", {"LAYER_NUM": [4, 12]}),
        ("SEARCH_SPACE", {"LAYER_NUM": {"bounds": {"min": 4}}}),
        ("SEARCH_SPACE", {"HEAD_NUM": {"bounds": {"min": 12, "max": 8}}}),
        ("SEARCH_SPACE", {"HIDDEN_SIZE": {"min": 128, "max": 768, "step": 0}}),
        ("SEARCH_SPACE", {"DEPTH": {"bounds": {"min": 1, "max": 2}}}),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_key(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"key '{key}' is .*old.conf.*must be"):
        imported("domain: bert", **{key: value})


def test_the_training_with_a_teacher_becomes_one_that_train_accepts_and_runs(tmp_path: Path) -> None:
    folder = str(save_checkpoint(tmp_path / "bert", vocab_size=400, max_position_embeddings=64))
    (tmp_path / "best.txt").write_text("(2, 3, 24, 32, 24)")
    places = {"model": folder, "model_dir": folder, "best_model_structure": str(tmp_path / "best.txt")}
    lengths = {"max_seq_length": 64, "max_query_length": 16, "doc_stride": 16}
    found = imported(TRAINING, **places, **lengths, train_epochs=1, train_batch_size=2)
    planned = plan(found)
    settings = planned.settings
    assert (settings.lr, settings.schedule, settings.warmup, settings.clip) == (8e-5, "linear", 0.05, 1.0)
    assert (settings.distill_weight, settings.distill_temperature) == (0.9, 4.0)
    assert settings.metric_threshold is None
    assert (planned.task.id, planned.weights(), planned.teacher) == ("nlp/squad", "inherited", None)
    fates = keys_by_fate(found)
    assert "unknown" not in fates
    never_read = {"num_train_examples", "pin_mem", "no_cuda", "null_score_diff_threshold"}
    assert fates["unused"] == never_read | {"gradient_accumulation_steps"}
    assert "train has made" in found.outcomes["teacher_model"].note
    assert 0 <= train_briefly(found, tmp_path) <= 1
