"""The space of BERT: published parameter counts, notation, cost, batches, views, options, scores."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from denas_core import Candidate
from denas_core.errors import ConfigError
from denas_core.networks.heads import PositionHead
from denas_core.registry.options import make_component
from denas_nlp.bert.counting import SINGLE_OPERATIONS
from denas_nlp.bert.space import Bert
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency
from tests.nlp.tiny_bert import SIZES


def preset(name: str, **options: Any) -> Bert:
    space: Bert = make_component(Bert, {**Bert.presets[name], **options}, id="nlp/bert")
    return space


def bounds(space: Bert) -> dict[str, tuple[Any, ...]]:
    return {knob.name: (*knob.values[:2], knob.values[-1], len(knob.values)) for knob in space.knobs()}


def test_the_space_of_the_original_has_its_bounds_and_steps() -> None:
    space = preset("denas")
    assert bounds(space) == {
        "layers": (4, 5, 12, 9),
        "heads": (8, 9, 12, 5),
        "hidden": (128, 144, 768, 41),
        "intermediate": (128, 160, 3072, 93),
    }
    assert space.size() == 171_585


@pytest.mark.parametrize("name", ["base", "hf"])
def test_stock_networks_have_heads_of_64_features_each(name: str) -> None:
    space = preset(name)
    assert bounds(space) == {
        "layers": (4, 5, 12, 9),
        "heads": (4, 5, 12, 9),
        "intermediate": (128, 160, 3072, 93),
    }
    for heads in (4, 11):
        sizes = space.dimensions(space.architecture({"layers": 4, "heads": heads, "intermediate": 128}))
        assert sizes.hidden == 64 * heads == space.original.attention(sizes)


def test_micro_networks_are_stock_networks_that_end_where_those_of_base_begin() -> None:
    space = preset("micro")
    assert bounds(space) == {
        "layers": (2, 3, 8, 7),
        "heads": (2, 3, 8, 7),
        "intermediate": (64, 96, 1024, 31),
    }
    smallest, full, of_base = space.smallest(), space.full(), preset("base").smallest()
    sizes = space.dimensions(smallest)
    assert space.original.attention(sizes) == sizes.hidden
    # By hand: tokens, positions, segments and a norm; two layers of attention, MLP and norms; the pooler.
    layer = 4 * 64 * 65 + 2 * 64 * 64 + 64 + 64 + 4 * 64
    assert space.cost(smallest)["params"] == (8192 + 512 + 2 + 2) * 64 + 2 * layer + 64 * 65 == 611_904
    assert space.cost(full)["params"] < preset("base").cost(of_base)["params"]


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("(11, 11, 704, 736, 1824)", 75_810_816),
        ("(11, 11, 704, 640, 1824)", 65_866_656),
        # BERT-base, as transformers builds it: an independent count.
        ("(12, 12, 768, 768, 3072)", 109_482_240),
    ],
)
def test_published_networks_count_the_same(text: str, params: int) -> None:
    space = preset("denas")
    arch = space.parse(text)
    assert space.format(arch) == text
    assert space.cost(arch)["params"] == params
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in space.build(arch).parameters()) == params


def test_the_largest_stock_network_is_that_of_transformers() -> None:
    from transformers import BertConfig, BertModel

    space = preset("base")
    with torch.device("meta"):
        ours, theirs = space.build(space.full()), BertModel(BertConfig())
    assert {n: p.shape for n, p in ours.named_parameters()} == {
        n: p.shape for n, p in theirs.named_parameters()
    }
    # Both are set when a network is saved.
    written = {"architectures", "dtype"}
    different = {
        key: value for key, value in ours.config.to_dict().items() if theirs.config.to_dict()[key] != value
    }
    assert different.keys() <= written


@pytest.mark.parametrize("activation", sorted(SINGLE_OPERATIONS))
def test_the_cost_is_that_of_the_whole_network_on_the_meta_device(activation: str) -> None:
    """Over sizes of which each may decide the peak of memory."""
    rng = random.Random(activation)
    for _ in range(8):
        head_size, positions = rng.choice([1, 8, 64]), rng.randint(1, 150)
        options = {
            "tied": rng.random() < 0.3,
            "layers": [1, 2, 3],
            "heads": [1, 3, 8],
            "intermediate": sorted({1, rng.randint(2, 900)}),
            "head_size": head_size,
            "vocab_size": rng.randint(1, 90),
            "positions": positions,
            "seq_len": rng.choice([1, positions]),
            "config": {"hidden_act": activation, "type_vocab_size": rng.randint(1, 3)},
        }
        if not options["tied"]:
            options["hidden"] = sorted({rng.randint(1, 600), 8 * head_size})
        space = make_component(Bert, options, id="nlp/bert")
        for arch in (space.sample(rng), space.sample(rng)):
            assert space.cost(arch) == space.counted_cost(arch), (options, arch.as_dict())


@pytest.mark.parametrize("layers", [1, 3])
def test_networks_without_a_formula_are_counted_too(layers: int) -> None:
    space = make_component(Bert, {**SIZES, "config": {"hidden_act": "gelu_new"}}, id="nlp/bert")
    arch = space.architecture({"layers": layers, "heads": 4, "intermediate": 24})
    cost = space.cost(arch)
    assert cost["params_encoder"] == layers * (4 * 32 * 33 + 2 * 24 * 32 + 24 + 32 + 4 * 32)
    assert cost == space.counted_cost(arch)


@pytest.mark.parametrize(
    "text", ["(11, 11, 704, 736, 1824)", "(4, 8, 512, 128, 3072)", "(5, 12, 768, 768, 128)"]
)
def test_the_cost_of_real_sizes_is_that_of_the_whole_network(text: str) -> None:
    space = preset("denas")
    arch = space.parse(text)
    assert space.cost(arch) == space.counted_cost(arch)


def test_the_tuple_of_the_original_is_read_and_written() -> None:
    space = preset("denas")
    arch = space.parse(" [4, 8, 512, 128, 160] \n")
    assert arch.as_dict() == {"layers": 4, "heads": 8, "hidden": 128, "intermediate": 160}
    assert space.format(arch) == "(4, 8, 512, 128, 160)"
    assert space.parse("{layers: 4, heads: 8, hidden: 128, intermediate: 160}") == arch
    stock = preset("base")
    assert stock.format(stock.parse("(4, 8, 512, 512, 160)")) == "(4, 8, 512, 512, 160)"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("denas", "(11, 11, 700, 736, 1824)", "qkv 700 of .* is not 11 heads of 64 features .*; make it 704"),
        ("denas", "(11, 11, 704, 736)", "4 numbers are not an architecture"),
        ("denas", "()", "0 numbers are not an architecture|'' is not a whole number"),
        ("denas", "(11, 11, 704, 73.6, 1824)", "'73.6' is not a whole number in an architecture"),
        ("denas", "(11, 11, 704, 730, 1824)", "knob 'hidden' of 'nlp/bert' cannot be 730"),
        ("denas", "(3, 11, 704, 736, 1824)", "knob 'layers' of 'nlp/bert' cannot be 3"),
        ("base", "(11, 11, 704, 736, 1824)", "hidden 736 of .* is not 11 heads .* use the preset 'denas'"),
    ],
)
def test_a_tuple_that_is_no_architecture_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        preset(name).parse(text, origin="--arch")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seq_len": 513}, "seq_len 513 is more than the 512 positions"),
        ({"positions": 100, "probe_tokens": 101}, "probe_tokens 101 is more than the 100 positions"),
        ({"layers": [3, 2]}, r"layers \[3, 2\] must be different whole numbers"),
        ({"heads": [0, 2]}, r"heads \[0, 2\] must be different whole numbers"),
        ({"layers": [300]}, "layers has 300, and the most is 256"),
        ({"hidden": [64]}, r"hidden \[64\] cannot be chosen.*tied=false"),
        ({"vocab_size": 5, "config": {"pad_token_id": 5}}, "pad_token_id 5 is not below vocab_size 5"),
        ({"config": {"vocab_size": 5}}, "config has 'vocab_size'; set the option 'vocab_size' instead"),
        ({"config": {"hiden_act": "gelu"}}, "config has 'hiden_act'.*did you mean 'hidden_act'"),
        ({"config": {"hidden_act": 1}}, "hidden_act is 1, and must be text"),
        (
            {"config": {"hidden_dropout_prob": 1}},
            "hidden_dropout_prob is 1, and must be a number from 0 to below 1",
        ),
        ({"config": {"type_vocab_size": True}}, "type_vocab_size is True, and must be a whole number"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        preset("base", **options)


def test_scores_may_see_fewer_tokens_than_latency() -> None:
    space = preset("base", seq_len=20, probe_tokens=6)
    for kind, tokens in (("noise", 20), ("ones", 6), ("cost", 20)):
        assert space.batch(2, seed=0, kind=kind).inputs["input_ids"].shape == (2, tokens)
    assert space.batch(1, seed=0, kind="ones").inputs["input_ids"].tolist() == [[9333] * 6]
    assert preset("base").batch(1, seed=0, kind="ones").inputs["input_ids"].shape == (1, 16)


def test_options_that_change_no_network_keep_its_key() -> None:
    text = "(4, 8, 512, 512, 160)"
    key = preset("base").parse(text).key
    same = {"probe_tokens": 6, "layers": [4], "config": {"hidden_dropout_prob": 0.2}, "inherit": "magnitude"}
    for name, value in same.items():
        assert preset("base", **{name: value}).parse(text).key == key, name
    for name, value in {
        "vocab_size": 9,
        "positions": 130,
        "seq_len": 6,
        "config": {"layer_norm_eps": 1.0},
    }.items():
        assert preset("base", **{name: value}).parse(text).key != key, name


@pytest.mark.parametrize(
    "head", [None, nn.Linear(12, 3), PositionHead(12, 2)], ids=["none", "text", "tokens"]
)
def test_views_name_every_projection_and_its_layer(head: nn.Module | None) -> None:
    space = Bert(**{**SIZES, "layers": [2]}, hidden=[12], tied=False).named("nlp/bert")
    with torch.device("meta"):
        model = space.build(space.smallest(), head=head)
    shapes = dict(model.named_parameters())
    found = [(v.kind, v.layer, tuple(v.of(shapes[v.parameter]).shape)) for v in space.views(model)]
    layer = [
        *((f"attention.{part}", (16, 12)) for part in "qkv"),
        ("attention.out", (12, 16)),
        ("ffn.in", (8, 12)),
        ("ffn.out", (12, 8)),
    ]
    pooler = [] if isinstance(head, PositionHead) else [("head", 3, (12, 12))]
    assert found == [
        *(("embed", 0, (rows, 12)) for rows in (60, 16, 2)),
        *((kind, index, shape) for index in (1, 2) for kind, shape in layer),
        *pooler,
        *([] if head is None else [("head", 3, (head.out_features, 12))]),
    ]
    matrices = {name for name, parameter in shapes.items() if parameter.dim() > 1}
    assert {view.parameter for view in space.views(model)} == matrices


def test_the_recipe_is_that_of_the_original() -> None:
    recipe = preset("denas").reference_recipe()
    assert recipe.arithmetic == "sum"
    assert {name: weight for name, weight in recipe.weights.items() if weight} == {
        "diversity": 1e-5,
        "saliency": 1.0,
        "latency": 0.01,
    }
    assert recipe.diversity == ("attention.q", "attention.k", "attention.v", "ffn.out")
    assert recipe.saliency == {"ffn": 1} and recipe.latency_ms == 1.0
    assert (recipe.synaptic_batch_size, recipe.initialisation) == (32, "fresh")


@pytest.mark.parametrize("tied", [True, False])
def test_the_scores_of_small_networks_are_finite(tied: bool) -> None:
    space = make_component(Bert, {**SIZES, "tied": tied}, id="nlp/bert")
    for arch in (space.smallest(), space.full()):
        candidate = Candidate(space, arch)
        assert 0 < Diversity().measure(candidate) < 1e9
        assert -50 < Saliency().measure(candidate) < 100


@pytest.mark.nightly
def test_the_scores_of_a_network_of_real_size_are_finite() -> None:
    space = preset("denas", seq_len=32, vocab_size=12_000)
    candidate = Candidate(space, space.parse("(11, 11, 704, 640, 1824)"))
    assert 1e3 < Diversity().measure(candidate) < 1e10
    assert 0 < Saliency().measure(candidate) < 500


def test_the_space_can_be_searched_without_torch() -> None:
    code = (
        "import sys, denas_nlp, denas_nlp.plugin, denas_nlp.bert.space as s\n"
        "space = s.Bert().named('nlp/bert'); space.cost(space.parse('(4, 4, 256, 256, 128)'))\n"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
