"""The original's configuration of a search for speech recognisers becomes one of ours."""

from __future__ import annotations

import pytest

from denas_asr.transformer.legacy import USUAL
from denas_asr.transformer.space import Transformer
from denas_core.errors import ConfigError
from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.setup import Setup
from denas_core.system.guarded_yaml import load_mapping

# Written for this test: every key that the original's ASR search reads, with its default values.
OLD = """\
domain: asr
model_type: asr
search_engine: EvolutionarySearchEngine
batch_size: 32
supernet_cfg: ../../conf/asr.yaml
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
max_param_limits: 40
min_param_limits: 1
img_size: 224
seed: 0
expressivity_weight: 0
complexity_weight: 0
diversity_weight: 1
saliency_weight: 1
latency_weight: 0
SUPERNET: {MLP_RATIO: 4.0, NUM_HEADS: 4, EMBED_DIM: 512, DEPTH: 12}
SEARCH_SPACE:
  MLP_RATIO: [3.0, 3.5, 4.0, 4.5, 5.0]
  NUM_HEADS: [2, 3, 4]
  DEPTH: [5, 6, 7, 8, 9, 10, 11, 12]
  EMBED_DIM: [192, 216, 240, 324, 384, 444]
"""


def translated(text: str) -> Imported:
    return import_config(load_mapping(text, origin="old.conf"), Registry.discover(), origin="old.conf")


def test_the_default_configuration_searches_the_default_space() -> None:
    imported = translated(OLD)
    assert imported.document["space"] == {"name": "asr/transformer"}
    setup = Setup.from_config(imported.config, Registry.discover())
    assert setup.space.options() == Transformer().options()
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [
        ("params_reference", 4e7),
        ("params_reference", 1e6),
    ]
    assert setup.budget.candidates == 1000
    assert "strategy" not in imported.document


def test_the_choices_of_the_original_are_those_of_the_space() -> None:
    assert {name: Transformer().options()[name] for name in USUAL} == USUAL


def test_the_account_says_of_every_key_what_became_of_it() -> None:
    fate = {key: outcome.fate for key, outcome in translated(OLD).outcomes.items()}
    assert set(fate) == set(load_mapping(OLD, origin="old"))
    assert {key for key in fate if fate[key] == "dropped"} == {
        *("random_max_epochs", "sigopt_max_epochs", "scale_factor", "SUPERNET", "supernet_cfg", "img_size"),
        *("expressivity_weight", "complexity_weight", "latency_weight"),
    }
    assert [key for key in fate if fate[key] == "changed"] == ["batch_size"]
    assert "unknown" not in fate.values()


def test_other_choices_reach_the_space() -> None:
    imported = translated(
        "domain: asr\nSEARCH_SPACE: {DEPTH: [3, 2], MLP_RATIO: [4], NUM_HEADS: [2, 3, 4]}\n"
    )
    assert imported.document["space"] == {"name": "asr/transformer", "depths": [2, 3], "mlp_ratios": [4.0]}


def test_a_bound_on_latency_is_dropped_and_says_why() -> None:
    imported = translated("domain: asr\nbudget_latency_max: 0.5\n")
    assert "rtf" in imported.outcomes["budget_latency_max"].note
    assert not imported.config.constraints


@pytest.mark.parametrize("line", ["batch_size: x", "SEARCH_SPACE: {DEPTH: [2.5]}", "budget_latency_max: no"])
def test_a_value_that_cannot_be_read_is_refused_with_its_key(line: str) -> None:
    with pytest.raises(ConfigError, match=f"key '{line.partition(':')[0]}' is .*old.conf.*must be"):
        translated(f"domain: asr\n{line}\n")
