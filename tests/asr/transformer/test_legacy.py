"""The original's configurations for speech recognisers, of a search and of a training, become ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_asr.transformer.legacy import USUAL
from denas_asr.transformer.space import Transformer
from denas_core.errors import ConfigError
from tests.core.legacy.imports import CLASSIC, EVOLUTION, imported, keys_by_fate, plan, set_up, train_briefly

# Written for this test: every key that the original reads, with its default values.
SEARCH = """\
{domain: asr, model_type: asr, search_engine: EvolutionarySearchEngine, batch_size: 32, supernet_cfg: ../../asr.yaml,
random_max_epochs: 1000, sigopt_max_epochs: 1000, max_epochs: 10, scale_factor: 10, select_num: 50, population_num: 50,
m_prob: 0.2, s_prob: 0.4, crossover_num: 25, mutation_num: 25, max_param_limits: 40, min_param_limits: 1, img_size: 224,
seed: 0, expressivity_weight: 0, complexity_weight: 0, diversity_weight: 1, saliency_weight: 1, latency_weight: 0,
SUPERNET: {MLP_RATIO: 4.0, NUM_HEADS: 4, EMBED_DIM: 512, DEPTH: 12},
SEARCH_SPACE: {MLP_RATIO: [3.0, 3.5, 4.0, 4.5, 5.0], NUM_HEADS: [2, 3, 4], DEPTH: [5, 6, 7, 8, 9, 10, 11, 12],
  EMBED_DIM: [192, 216, 240, 324, 384, 444]}}
"""
TRAINING = """\
{seed: "74443", output_folder: results, save_folder: results/save, device: cpu, dist_backend: gloo, mode: train,
domain: asr, best_model_structure: best.txt, data_folder: /data/LibriSpeech, skip_prep: false,
train_csv: /data/LibriSpeech/train-clean-100.csv, valid_csv: /data/LibriSpeech/dev-clean.csv,
test_csv: /data/LibriSpeech/test-clean.csv, tokenizer_ckpt: /data/LibriSpeech/tokenizer.ckpt, ckpt_interval_minutes: 30,
train_epochs: 60, eval_epochs: 1, train_batch_size: 32, eval_batch_size: 1, num_workers: 1, ctc_weight: 0.3,
grad_accumulation_factor: 1, max_grad_norm: 5.0, loss_reduction: batchmean, sorting: random, metric_threshold: 25,
lr_adam: 0.001, sample_rate: &sample_rate 16000, n_fft: &n_fft 400, n_mels: &n_mels 80, input_shape: [8, 10, 80],
num_blocks: 3, num_layers_per_block: 1, out_channels: [64, 64, 64], kernel_sizes: [5, 5, 1], strides: [2, 2, 1],
residuals: [false, false, true], input_size: 1280, d_model: 512, encoder_heads: [4], nhead: 4, num_encoder_layers: 12,
num_decoder_layers: 6, mlp_ratio: [4.0, 4.0], d_ffn: 2048, transformer_dropout: 0.1, output_neurons: 5000,
blank_index: 0, label_smoothing: 0.0, pad_index: 0, bos_index: 1, eos_index: 2, min_decode_ratio: 0.0,
max_decode_ratio: 1.0, valid_search_interval: 10, valid_beam_size: 10, test_beam_size: 66, lm_weight: 0.60,
ctc_weight_decode: 0.40, n_warmup_steps: 2500, speed_perturb: true, augmentation: {time_warp: false, freq_mask: true,
  n_freq_mask: 4, time_mask: true, n_time_mask: 4, replace_with_zero: false, freq_mask_width: 15, time_mask_width: 20},
compute_features: {sample_rate: *sample_rate, n_fft: *n_fft, n_mels: *n_mels}}
"""
SMALLEST = str((5, *[3.0] * 5, *[2] * 5, 192))


def test_the_default_search_is_of_the_default_space() -> None:
    found = imported(SEARCH)
    assert found.document["space"] == {"name": "asr/transformer"}
    setup = set_up(found)
    assert {name: setup.space.options()[name] for name in USUAL} == USUAL
    assert setup.space.options() == Transformer().options()
    bounds = [(c.metric, c.bound) for c in setup.problem.constraints]
    assert bounds == [("params_reference", 4e7), ("params_reference", 1e6)]
    assert setup.budget.candidates == 1000
    fates = keys_by_fate(found)
    assert fates["unused"] == {
        *("random_max_epochs", "sigopt_max_epochs", "SUPERNET", "supernet_cfg", "img_size"),
        *("expressivity_weight", "complexity_weight", "latency_weight"),
    }
    assert fates["missing"] == {"scale_factor", "batch_size"} and "unknown" not in fates


def test_other_choices_reach_the_space_and_a_bound_on_latency_says_why_it_does_not() -> None:
    found = imported(
        "{domain: asr, budget_latency_max: 0.5, SEARCH_SPACE: {DEPTH: [3, 2], MLP_RATIO: [4], NUM_HEADS: [2, 3, 4]}}"
    )
    assert found.document == {
        "space": {"name": "asr/transformer", "depths": [2, 3], "mlp_ratios": [4.0]},
        "score": CLASSIC,
        "strategy": EVOLUTION,
    }
    assert "rtf" in found.outcomes["budget_latency_max"].note


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        *((SEARCH, "batch_size", "x"), (SEARCH, "SEARCH_SPACE", {"DEPTH": [2.5]})),
        *((TRAINING, key, 3) for key in ("augmentation", "speed_perturb")),
        (TRAINING, "out_channels", [64, 32, 64]),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_key(text: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"key '{key}' is .*old.conf.*must be"):
        imported(text, **{key: value})


def test_the_default_training_becomes_one_that_train_accepts(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(SMALLEST)
    found = imported(TRAINING, best_model_structure=str(tmp_path / "best.txt"))
    planned = plan(found)
    task, settings = planned.task.options(), planned.settings
    assert (task["train"], task["dev"], task["split"]) == ("train-clean-100", "dev-clean", "test-clean")
    assert (task["vocab"], task["speed"]) == ("/data/LibriSpeech/tokenizer.ckpt", list(range(95, 105)))
    assert (settings.schedule, settings.warmup, settings.clip, settings.lr) == ("noam", 2500, 5.0, 1e-3)
    assert (settings.metric_threshold, settings.label_smoothing, settings.seed) == (0.25, 0.0, 0)
    fates = keys_by_fate(found)
    assert "unknown" not in fates and fates["missing"] == {"eval_batch_size"}
    assert {"seed", "sorting", "skip_prep", "lm_weight", "device"} <= fates["unused"]
    masked = imported(TRAINING, augmentation={"freq_mask": True, "time_mask": False, "n_freq_mask": 2})
    assert "together" in masked.outcomes["augmentation"].note
    assert "n_freq_mask is always 4" in masked.outcomes["augmentation"].note


def test_an_imported_training_runs(tmp_path: Path) -> None:
    (tmp_path / "best.txt").write_text(SMALLEST)
    sizes = {"train_epochs": 1, "num_workers": 0, "train_batch_size": 3, "num_decoder_layers": 1, "d_ffn": 64}
    places = {"train_csv": "train-example.csv", "valid_csv": "dev-example.csv"}
    places |= {"test_csv": None, "tokenizer_ckpt": None}
    found = imported(TRAINING, best_model_structure=str(tmp_path / "best.txt"), **sizes, **places)
    assert train_briefly(found, tmp_path) >= 0
