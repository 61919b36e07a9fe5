"""Weights of a checkpoint in smaller networks: what is kept together, what is read, and what is fresh."""

from __future__ import annotations

import dataclasses
import random
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained.inheritance import choose
from denas_core.pretrained.layout import Axis
from denas_core.pretrained.silence import silent_transformers
from denas_hf.inheriting import Inheritance

from .inherited import features_of, full_features, inheriting_network, network_of, sizes_of, source_of
from .tiny_models import CONFIGS, checkpoint, inheriting_space, made


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_largest_is_not_what_comes_first(name: str) -> None:
    values = {"intermediate": 40}
    first, largest = (
        features_of(space, inheriting_network(space, values))
        for space in (inheriting_space(name), inheriting_space(name, inherit="magnitude"))
    )
    assert first.shape == largest.shape and not torch.allclose(first, largest)


def test_heads_that_share_keys_and_values_are_kept_together() -> None:
    space = inheriting_space("llama", inherit="magnitude")
    assert next(knob.values for knob in space.knobs() if knob.name == "heads") == (2, 4)
    source = source_of(space)
    network = inheriting_network(space, {"heads": 2})
    layer = "layers.1.self_attn"
    taken = dict(network.named_parameters())
    keys, queries = source[f"{layer}.k_proj.weight"], source[f"{layer}.q_proj.weight"]
    group = next(g for g in (0, 1) if torch.equal(taken[f"{layer}.k_proj.weight"], keys[8 * g : 8 * g + 8]))
    assert torch.equal(taken[f"{layer}.q_proj.weight"], queries[16 * group : 16 * group + 16])


def test_heads_stay_whole_in_the_fused_projection_of_gpt2() -> None:
    space = inheriting_space("gpt2")
    fused = source_of(space)["h.0.attn.c_attn.weight"]
    taken = dict(inheriting_network(space, {"heads": 3}).named_parameters())["h.0.attn.c_attn.weight"]
    # Three heads of eight features of the 24 features that these make: queries, then keys, then values.
    expected = torch.cat([fused[:24, begin : begin + 24] for begin in (0, 32, 64)], 1)
    assert torch.equal(taken, expected)


def test_narrower_heads_keep_the_same_features_of_queries_and_keys() -> None:
    space = inheriting_space("bert", head_width="free", inherit="magnitude")
    arch = space.architecture({"layers": 3, "heads": 4, "hidden": 16, "intermediate": 64})
    network = space.load(space.build(arch), arch, seed=0, weights="inherited")
    assert network.encoder.layer[0].attention.self.query.weight.shape == (16, 16)
    original, sizes = space.start.original, sizes_of(space)
    choice = choose(
        original.layout,
        source_of(space),
        source_sizes=sizes,
        target_sizes=original.sizes(network.config),
        by="magnitude",
    )
    features, channels = choice.kept[Axis("head")], choice.kept[Axis("hidden")]
    assert len(features) == 4
    key = "encoder.layer.1.attention.self.{}.weight"
    for part in ("query", "key", "value"):
        matrix = source_of(space)[key.format(part)].unflatten(0, (4, 8))
        expected = matrix[:, features][..., channels].flatten(0, 1)
        assert torch.equal(dict(network.named_parameters())[key.format(part)], expected)


@pytest.mark.parametrize("name", ["bert", "t5", "wav2vec2"])
def test_the_checkpoint_is_read_once_for_all_candidates(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint(name), tmp_path / "checkpoint")
    space = made(model=str(folder), inherit="magnitude")
    before = full_features(space)
    shutil.rmtree(folder)
    assert torch.equal(full_features(space), before)
    rng = random.Random(0)
    for _ in range(3):
        arch = space.sample(rng)
        assert torch.isfinite(features_of(space, inheriting_network(space, arch.values))).all()


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "vit", "wav2vec2", "clip"])
def test_a_head_is_fresh_under_the_seed_and_the_rest_is_inherited(name: str) -> None:
    space = inheriting_space(name)
    arch = space.smallest()

    def loaded(seed: int) -> dict[str, Tensor]:
        with torch.device("meta"):
            network = space.build(arch, head=nn.Linear(space.dimensions(arch).hidden, 3))
        return dict(space.load(network, arch, seed=seed, weights="inherited").named_parameters())

    first, again, other = loaded(0), loaded(0), loaded(1)
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())
    drawn = {key for key, tensor in first.items() if not torch.equal(tensor, other[key])}
    assert drawn and all(torch.isfinite(tensor).all() for tensor in first.values())
    bare = dict(inheriting_network(space, arch.values).named_parameters())
    inherited = {key for key in first if any(key.endswith(own) for own in bare)} - drawn
    for key in inherited:
        own = max((own for own in bare if key.endswith(own)), key=len)
        if first[key].shape == bare[own].shape and key not in drawn:
            assert torch.equal(first[key], bare[own]), key
    assert len(inherited) >= len(bare) - 2


def test_a_pooler_that_the_checkpoint_lacks_is_fresh_under_the_seed(tmp_path: Path) -> None:
    from transformers import AutoModelForMaskedLM

    with silent_transformers():
        AutoModelForMaskedLM.from_pretrained(checkpoint("bert")).save_pretrained(tmp_path)
    space = made(model=str(tmp_path))
    first, again, other = (
        dict(inheriting_network(space, {}, seed=seed).named_parameters()) for seed in (0, 0, 1)
    )
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.items())
    assert {key for key in first if not torch.equal(first[key], other[key])} == {"pooler.dense.weight"}


def test_inheriting_changes_neither_the_checkpoint_nor_the_global_generator() -> None:
    space = inheriting_space("bert")
    before = {key: tensor.clone() for key, tensor in source_of(space).items()}
    state = torch.get_rng_state()
    network = inheriting_network(space, {})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[key]) for key, tensor in source_of(space).items())


def test_a_weight_without_a_rule_is_named() -> None:
    space = inheriting_space("bert")
    original = space.start.original
    rules = {key: rule for key, rule in original.family.weights.items() if "pooler" not in key}
    without = dataclasses.replace(original, family=dataclasses.replace(original.family, weights=rules))
    inheritance = Inheritance(without, space.start.pretrained, by="leading")
    with pytest.raises(PluginError, match="no rule for parameter 'pooler"):
        inheritance.weights_for(without.config)


def test_a_weight_that_is_not_inherited_is_named() -> None:
    space = inheriting_space("bert")
    weights = {key: tensor for key, tensor in source_of(space).items() if "query.bias" not in key}
    with pytest.raises(PluginError, match=r"no weights are inherited for 'encoder.*query.bias'"):
        network_of(space, {}, weights)


def test_without_a_checkpoint_there_is_nothing_to_inherit(tmp_path: Path) -> None:
    config = shutil.copy(checkpoint("bert") / "config.json", tmp_path)
    space = made(model=str(config))
    assert not space.inherits
    with pytest.raises(ConfigError, match="has no checkpoint to inherit weights from"):
        space.load(space.build(space.full()), space.full(), seed=0, weights="inherited")
