"""The original's ViT search configuration becomes one of ours."""

from __future__ import annotations

import pytest

from denas_core.errors import ConfigError
from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.setup import Setup
from denas_core.system.guarded_yaml import load_mapping

# Written for this test: every key that the original's ViT search reads, with its default values.
OLD = """\
domain: vit
model_type: transformer
search_engine: EvolutionarySearchEngine
batch_size: 64
random_max_epochs: 1000
max_epochs: 10
scale_factor: 10
select_num: 50
population_num: 50
m_prob: 0.2
s_prob: 0.4
crossover_num: 25
mutation_num: 25
max_param_limits: 100
min_param_limits: 1
img_size: 224
patch_size: 16
drop_rate: 0.0
drop_path_rate: 0.1
max_relative_position: 14
gp: True
relative_position: True
change_qkv: True
abs_pos: True
seed: 0
expressivity_weight: 0
complexity_weight: 0
diversity_weight: 1
saliency_weight: 1
latency_weight: 10000
num_classes: 10
SUPERNET: {MLP_RATIO: 4.0, NUM_HEADS: 10, EMBED_DIM: 640, DEPTH: 16}
SEARCH_SPACE:
  MLP_RATIO: [3.0, 3.5, 4.0]
  NUM_HEADS: [3, 4, 5, 6, 7, 9, 10]
  DEPTH: [12, 13, 14, 15, 16]
  EMBED_DIM: [192, 216, 240, 320, 384, 448, 528, 576, 624]
"""


def translated(text: str) -> Imported:
    return import_config(load_mapping(text, origin="old.conf"), Registry.discover(), origin="old.conf")


def test_the_default_configuration_searches_the_space_of_the_preset() -> None:
    imported = translated(OLD)
    assert not any("CNN" in outcome.note for outcome in imported.outcomes.values())
    setup = Setup.from_config(imported.config, Registry.discover())
    preset = Registry.discover().create("space", "cv/vit:denas")
    assert setup.space.options() == preset.options()
    assert [(c.metric, c.bound) for c in setup.problem.constraints] == [("params", 1e8), ("params", 1e6)]
    assert setup.budget.candidates == 1000
    assert "strategy" not in imported.document and "score" not in imported.document


def test_the_account_says_of_every_key_what_became_of_it() -> None:
    fate = {key: outcome.fate for key, outcome in translated(OLD).outcomes.items()}
    assert set(fate) == set(load_mapping(OLD, origin="old"))
    dropped = {key for key in fate if fate[key] == "dropped"}
    assert dropped == {
        *("batch_size", "random_max_epochs", "scale_factor", "drop_rate", "SUPERNET"),
        *("expressivity_weight", "complexity_weight"),
    }
    assert [key for key in fate if fate[key] == "changed"] == ["latency_weight"]
    assert "unknown" not in fate.values()


def test_flags_and_sizes_reach_the_space() -> None:
    imported = translated(
        "domain: vit\nimg_size: 32\npatch_size: 4\ngp: False\nrelative_position: False\nchange_qkv: False\n"
        "abs_pos: False\nnum_classes: 5\nSEARCH_SPACE: {DEPTH: [3, 2], MLP_RATIO: [4]}\n"
    )
    assert imported.document["space"] == {
        "name": "cv/vit",
        **{"image_size": 32, "patch_size": 4, "global_pooling": False, "relative_position": False},
        **{"head_size": 0, "absolute_position": False, "classes": 5},
        **{"depths": [2, 3], "mlp_ratios": [4.0]},
    }


@pytest.mark.parametrize(
    "line",
    [
        "gp: 1",
        "SEARCH_SPACE: [1]",
        "SEARCH_SPACE: {DEPTH: []}",
        "SEARCH_SPACE: {DEPTH: [2.5]}",
        "SEARCH_SPACE: {HIDDEN: [2]}",
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_key(line: str) -> None:
    with pytest.raises(ConfigError, match=f"key '{line.partition(':')[0]}' is .*old.conf.*must be"):
        translated(f"domain: vit\n{line}\n")
