"""The original's BERT search configuration becomes one of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.setup import Setup
from denas_core.system.guarded_yaml import load_mapping
from tests.nlp.tiny_bert import save_checkpoint

# Written for this test: every key that the original's BERT search reads, with its default values.
OLD = """\
domain: bert
model_type: bert
search_engine: EvolutionarySearchEngine
batch_size: 32
random_max_epochs: 1000
sigopt_max_epochs: 1000
max_epochs: 10
scale_factor: 10
select_num: 50
population_num: 50
m_prob: 0.2
s_prob: 0.4
crossover_num: 25
mutation_num: 25
supernet_cfg: ../../conf/denas/nlp/supernet-bert-base.yaml
pretrained_bert: /data/bert-base-uncased
pretrained_bert_config: /data/bert-base-uncased/bert_config.json
img_size: 128
max_param_limits: 110
min_param_limits: 55
seed: 0
expressivity_weight: 0
complexity_weight: 0
diversity_weight: 0.00001
saliency_weight: 1
latency_weight: 0.01
SUPERNET: {LAYER_NUM: 12, NUM_ATTENTION_HEADS: 12, HIDDEN_SIZE: 768, INTERMEDIATE_SIZE: 3072, QKV_SIZE: 768}
SEARCH_SPACE:
  LAYER_NUM: {bounds: {min: 4, max: 12, step: 1}, type: int}
  HEAD_NUM: {bounds: {min: 8, max: 12, step: 1}, type: int}
  QKV_SIZE: {bounds: {min: 180, max: 768, step: 12}, type: int}
  HIDDEN_SIZE: {bounds: {min: 128, max: 768, step: 16}, type: int}
  INTERMEDIATE_SIZE: {bounds: {min: 128, max: 3072, step: 32}, type: int}
"""


def translated(text: str) -> Imported:
    return import_config(load_mapping(text, origin="old.conf"), Registry.discover(), origin="old.conf")


def test_the_default_configuration_searches_the_space_of_the_preset() -> None:
    """Without the checkpoint, whose folder is on another machine."""
    text = "".join(line for line in OLD.splitlines(keepends=True) if not line.startswith("pretrained_bert"))
    imported = translated(text)
    setup = Setup.from_config(imported.config, Registry.discover())
    preset = Registry.discover().create("space", "nlp/bert:denas")
    assert setup.space.id == "nlp/bert"
    assert setup.space.options() == preset.options()
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [("params", 110e6), ("params", 55e6)]
    assert setup.budget.candidates == 1000
    assert "strategy" not in imported.document
    assert imported.document["space"] == {"name": "nlp/bert:denas"}
    assert imported.document["score"] == {"name": "scores/de-score", "synaptic_batch_size": 32}


def test_the_account_says_of_every_key_what_became_of_it() -> None:
    fate = {key: outcome.fate for key, outcome in translated(OLD).outcomes.items()}
    assert set(fate) == set(load_mapping(OLD, origin="old"))
    dropped = {key for key in fate if fate[key] == "dropped"}
    assert dropped == {
        *("random_max_epochs", "sigopt_max_epochs", "scale_factor", "SUPERNET", "supernet_cfg"),
        *("pretrained_bert_config", "expressivity_weight", "complexity_weight"),
    }
    assert [key for key in fate if fate[key] == "changed"] == ["diversity_weight", "latency_weight"]
    assert "unknown" not in fate.values()


def test_the_checkpoint_is_what_is_scored(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    imported = translated(f"model_type: bert\npretrained_bert: {folder}\nimg_size: 9\n")
    assert imported.document == {
        "space": {"name": "nlp/bert:denas", "checkpoint": str(folder), "seq_len": 9},
        "score": {"name": "scores/de-score", "weights_from": "inherited"},
    }
    setup = Setup.from_config(imported.config, Registry.discover())
    assert setup.space.inherits
    alone = translated(f"model_type: bert\npretrained_bert_config: {folder / 'config.json'}\n")
    assert not Setup.from_config(alone.config, Registry.discover()).space.inherits


def test_bounds_steps_and_latency_are_translated() -> None:
    imported = translated(
        "domain: bert\nbatch_size: 4\nbudget_latency_max: 90\nSEARCH_SPACE:\n"
        "  LAYER_NUM: {bounds: {min: 2, max: 4, step: 2}}\n  HIDDEN_SIZE: {min: 100, max: 170, step: 50}\n"
    )
    assert imported.document["space"] == {
        "name": "nlp/bert:denas",
        "layers": [2, 3, 4],
        "hidden": [100, 150],
    }
    assert imported.document["constraints"] == ["latency_ms<=90"]
    assert imported.document["probe"] == {"name": "builtin/wall-clock", "batch_size": 4}


@pytest.mark.parametrize(
    "line",
    [
        "pretrained_bert: 3",
        "SEARCH_SPACE: [1]",
        "SEARCH_SPACE: {LAYER_NUM: [4, 12]}",
        "SEARCH_SPACE: {LAYER_NUM: {bounds: {min: 4}}}",
        "SEARCH_SPACE: {HEAD_NUM: {bounds: {min: 12, max: 8}}}",
        "SEARCH_SPACE: {HIDDEN_SIZE: {bounds: {min: 128, max: 768, step: 0}}}",
        "SEARCH_SPACE: {DEPTH: {bounds: {min: 1, max: 2}}}",
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_key(line: str) -> None:
    with pytest.raises(ConfigError, match=f"key '{line.partition(':')[0]}' is .*old.conf.*must be"):
        translated(f"domain: bert\n{line}\n")
