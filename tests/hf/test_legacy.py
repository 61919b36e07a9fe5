"""The original's search configuration for models of transformers becomes one of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.legacy.translate import Imported, import_config
from denas_core.registry.registry import Registry
from denas_core.setup.setup import Setup
from denas_core.system.guarded_yaml import load_mapping

from .tiny_models import checkpoint

# Written for this test: every key that the original's search of such models reads, with its default values.
OLD = """\
domain: hf
model_type: hf
search_engine: EvolutionarySearchEngine
supernet: bert-base-uncased
pretrained_model_path: /data/models
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
img_size: 128
seed: 0
expressivity_weight: 0
complexity_weight: 0
diversity_weight: 0.00001
saliency_weight: 1
latency_weight: 0.01
"""


def translated(text: str) -> Imported:
    return import_config(load_mapping(text, origin="old.conf"), Registry.discover(), origin="old.conf")


def test_the_default_configuration_searches_bert_base() -> None:
    found = translated(OLD)
    assert found.space == "hf/auto"
    assert not [key for key, outcome in found.outcomes.items() if outcome.fate == "unknown"]
    assert found.document["space"] == {"name": "hf/auto", "head_width": "free"}
    assert found.document["budget"] == 1000
    space = Setup.from_config(found.config, Registry.discover()).space
    full = space.full()
    assert full is not None and space.cost(full)["params"] == 109_482_240


def test_another_model_gives_its_weights_and_bounds_its_parameters() -> None:
    lines = f"supernet: {checkpoint('bert')}\nmax_param_limits: 100\nmin_param_limits: 50\n"
    found = translated(OLD.replace("supernet: bert-base-uncased\n", lines).replace("img_size: 128\n", ""))
    assert found.document["space"]["model"] == str(checkpoint("bert"))
    assert found.document["score"]["weights_from"] == "inherited"
    assert found.document["constraints"] == ["params<=100000000", "params>=50000000"]


def test_a_range_of_the_original_lacks_its_end() -> None:
    search_space = {
        "num_hidden_layers": {"min": 6, "max": 12, "step": 2},
        "intermediate_size": {"max": 3072, "step": 512},
    }
    found = translated(f"{OLD}search_space: {json.dumps(search_space)}\n")
    space = found.document["space"]
    assert space["layers"] == [6, 8, 10]
    assert space["intermediate"] == [1536, 2048, 2560]
    Setup.from_config(found.config, Registry.discover())


@pytest.mark.parametrize(
    "section",
    [
        *("7", "[]", "{x: {max: 9}}", "{hidden_size: 9}", "{hidden_size: {max: 9, min: 9}}"),
        *("{hidden_size: {max: x}}", "{hidden_size: {max: 9, step: 0}}", "{hidden_size: {step: 1}}"),
    ],
)
def test_a_section_that_cannot_be_read_is_told(section: str) -> None:
    with pytest.raises(
        ConfigError, match=r"key 'search_space' is .* must be whole numbers max, min and step"
    ):
        translated(f"{OLD}search_space: {section}\n")


def test_latency_limits_say_what_they_are_for(tmp_path: Path) -> None:
    found = translated(f"{OLD}budget_latency_max: 40\n")
    assert found.document["constraints"] == ["latency_ms<=40"]
    assert "of a batch" in found.outcomes["budget_latency_max"].note
