"""What networks cost: the counts of the core, told from networks of a few layers."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from denas_hf.space import Auto

from .tiny_models import CONFIGS, config_of, made, space_of


def deeper(name: str, layers: int = 6) -> dict[str, Any]:
    config = dict(CONFIGS[name])
    for key in ("num_hidden_layers", "n_layers", "n_layer", "num_layers"):
        if key in config:
            config[key] = layers
    return config


@pytest.mark.parametrize("name", ["t5", "t5-gated", "bart", "gpt2"])
def test_a_table_of_tokens_that_several_parts_use_counts_once(name: str) -> None:
    from transformers import AutoModel

    space = space_of(name)
    stock = AutoModel.from_config(config_of(name))
    assert space.cost(space.full())["params"] == sum(each.numel() for each in stock.parameters())


@pytest.mark.parametrize("name", CONFIGS)
def test_costs_are_those_that_the_core_counts_in_the_whole_network(name: str) -> None:
    space = made(config=deeper(name))
    rng = random.Random(0)
    for arch in (space.full(), space.smallest(), space.sample(rng), space.sample(rng)):
        assert space.cost(arch) == pytest.approx(space.counted_cost(arch), rel=1e-12), arch.as_dict()


def test_networks_of_one_layer_are_counted_whole() -> None:
    space = space_of("bert")
    arch = space.smallest()
    assert arch["layers"] == 1
    assert space.cost(arch) == space.counted_cost(arch)


def test_layers_of_several_kinds_are_counted_whole() -> None:
    config = {**CONFIGS["qwen2"], "layer_types": ["full_attention", "sliding_attention", "full_attention"]}
    space = made(config={**config, "use_sliding_window": True, "sliding_window": 4})
    for layers in (1, 2, 3):
        arch = space.architecture({**space.full().as_dict(), "layers": layers})
        assert space.build(arch).config.layer_types == config["layer_types"][:layers]
        assert space.cost(arch) == space.counted_cost(arch)


def test_a_layer_of_bert_costs_what_its_products_cost() -> None:
    space = space_of("bert")
    tokens, hidden, inner = 9, 32, 64
    first, second = (
        space.cost(space.architecture({"layers": layers, "heads": 4, "intermediate": inner}))
        for layers in (2, 3)
    )
    projections = 4 * (hidden + 1) * hidden
    feed_forward = (hidden + 1) * inner + (inner + 1) * hidden
    assert second["params"] - first["params"] == projections + feed_forward + 4 * hidden
    products = 2 * tokens * hidden * (4 * hidden + 2 * inner) + 4 * tokens**2 * hidden
    assert second["flops"] - first["flops"] == products


def test_the_original_counts_of_bert_base_are_ours() -> None:
    space = Auto(config={"model_type": "bert", "vocab_size": 30522}, head_width="free").named("hf/auto")
    arch = space.parse('{"num_hidden_layers": 8, "num_attention_heads": 10, "hidden_size": 620}')
    assert space.cost(arch)["params"] == 62_472_836
    assert space.cost(space.full())["params"] == 109_482_240


@pytest.mark.parametrize("name", ["bert", "wav2vec2"])
def test_the_ends_bound_every_combination_of_heads_and_hidden_width(name: str) -> None:
    config = {**CONFIGS[name], "hidden_size": 80, "num_attention_heads": 5}
    space = made(config=config, head_width="free", layers=[2], intermediate=[64])
    least, most = space.cost(space.smallest()), space.cost(space.full())
    heads, hidden = ({knob.name: knob.values for knob in space.knobs()}[knob] for knob in ("heads", "hidden"))
    assert len(heads) > 2 and len(hidden) > 2
    for values in itertools.product(heads, hidden):
        arch = space.architecture({"layers": 2, "heads": values[0], "hidden": values[1], "intermediate": 64})
        cost = space.cost(arch)
        for metric in ("params", "flops"):
            assert least[metric] <= cost[metric] <= most[metric], arch.as_dict()
