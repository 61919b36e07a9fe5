"""The original's configurations for models of Hugging Face, of a search and of a training, become ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.legacy.translate import IMPLIED
from tests.core.legacy.imports import imported, keys_by_fate, plan, set_up

from .tiny_models import checkpoint

# Written for this test: every key that the original reads, with its default values.
SEARCH = """\
{domain: hf, model_type: hf, search_engine: EvolutionarySearchEngine, supernet: bert-base-uncased, batch_size: 32,
pretrained_model_path: /data/models, random_max_epochs: 1000, sigopt_max_epochs: 1000, max_epochs: 10, scale_factor: 10,
select_num: 50, population_num: 50, m_prob: 0.2, s_prob: 0.4, crossover_num: 25, mutation_num: 25, img_size: 128,
seed: 0, expressivity_weight: 0, complexity_weight: 0, diversity_weight: 0.00001, saliency_weight: 1,
latency_weight: 0.01}
"""
TRAINING = """\
{domain: hf, task_name: squad1, task_type: classification, supernet: bert-base-uncased, tokenizer: bert-base-uncased,
optimizer: BertAdam, criterion: CrossEntropyQALoss, lr_scheduler: warmup_linear, eval_metric: qa_f1, dist_backend: gloo,
input_id: input_ids attention_mask token_type_ids, data_set: SQuADv1.1, best_model_structure: best.txt,
model: /data/bert/, model_dir: /data/bert/, data_dir: /data/SQuAD/, output_dir: /out/, hidden_size: 640,
gradient_accumulation_steps: 1, warmup_proportion: 0.1, learning_rate: 0.00006, weight_decay: 0.01, train_epochs: 2,
initializer_range: 0.02, max_seq_length: 384, doc_stride: 128, train_batch_size: 32, eval_batch_size: 8, eval_step: 500,
n_best_size: 20, max_answer_length: 30, max_query_length: 64, version_2_with_negative: 0, num_labels: 2, num_workers: 1,
null_score_diff_threshold: 0.0, pin_mem: true, verbose_logging: false, no_cuda: true, do_lower_case: true,
metric_threshold: None}
"""


def test_the_default_search_keeps_the_original_bounds() -> None:
    """From half of BERT-base to less than all of it, and from half of its parameters."""
    found = imported(SEARCH)
    setup = set_up(found)
    space = setup.space
    knobs = {knob.name: knob.values for knob in space.knobs()}
    assert knobs["layers"] == knobs["heads"] == (6, 7, 8, 9, 10, 11)
    assert knobs["hidden"] == tuple(range(384, 768, 16))
    assert found.document["space"]["intermediate"] == [3072]
    assert found.document["constraints"] == ["params<=1x", "params>=0.5x"]
    assert setup.budget.candidates == 1000
    fates = keys_by_fate(found)
    assert fates["elsewhere"] == {"pretrained_model_path"} and "unknown" not in fates


def test_bounds_and_limits_of_the_file_take_the_place_of_the_defaults() -> None:
    sections = {
        "num_hidden_layers": {"min": 6, "max": 12, "step": 2},
        "intermediate_size": {"max": 3072, "step": 512},
    }
    found = imported(SEARCH, search_space=sections, max_param_limits=100)
    space = found.document["space"]
    assert (space["layers"], space["intermediate"]) == ([6, 8, 10], [1536, 2048, 2560])
    assert found.document["constraints"] == ["params>=0.5x", "params<=100000000"]
    set_up(found)


def test_another_model_gives_its_weights_and_its_bounds(tmp_path: Path) -> None:
    folder = checkpoint("bert")
    for keys in (
        {"supernet": str(folder)},
        {"supernet": folder.name, "pretrained_model_path": str(folder.parent)},
    ):
        found = imported(SEARCH, img_size=None, **keys)
        assert found.document["space"]["model"] == str(folder)
        assert found.document["score"]["weights_from"] == "inherited"
        space = set_up(found).space
        full = space.start.original.dimensions  # type: ignore[attr-defined]
        assert {knob.name: knob.values[-1] for knob in space.knobs()}["layers"] == max(1, full.layers - 1)
    gone = imported(SEARCH, supernet=str(tmp_path / "gone"))
    assert "layers" not in gone.document["space"]
    assert "cannot be read here: there is no checkpoint" in gone.outcomes[IMPLIED].note


def test_latency_is_that_of_a_batch() -> None:
    found = imported(SEARCH, budget_latency_max=40)
    assert "latency_ms<=40" in found.document["constraints"]
    assert found.document["probe"]["batch_size"] == 32


def test_the_training_becomes_one_that_train_accepts(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(
        '{"num_hidden_layers": 11, "num_attention_heads": 10, "hidden_size": 640}'
    )
    places = {"best_model_structure": str(tmp_path / "best.txt"), "model": None}
    found = imported(TRAINING, **places)
    planned = plan(found)
    assert (planned.task.id, planned.arch["layers"], planned.settings.lr) == ("nlp/squad", 11, 6e-5)
    fates = keys_by_fate(found)
    assert "unknown" not in fates
    assert {"hidden_size", "task_type", "input_id"} <= fates["elsewhere"] and "tokenizer" in fates["unused"]
    with_weights = imported(TRAINING)
    assert with_weights.document["space"]["model"] == "/data/bert/"
    assert "supernet" in keys_by_fate(with_weights)["elsewhere"]


@pytest.mark.parametrize(
    "section",
    [
        *(7, [], {"x": {"max": 9}}),
        *({"hidden_size": value} for value in (9, {"max": 9, "min": 9}, {"max": "x"})),
        *({"hidden_size": value} for value in ({"max": 9, "step": 0}, {"step": 1})),
    ],
)
def test_a_section_that_cannot_be_read_is_refused(section: object) -> None:
    with pytest.raises(
        ConfigError, match=r"key 'search_space' is .* must be whole numbers max, min and step"
    ):
        imported(SEARCH, search_space=section)
