"""The space ``hf/auto``: choices, options, keys and errors."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from denas_core.errors import ConfigError
from denas_core.registry.options import make_component
from denas_hf.family import Family
from denas_hf.space import Auto

from .tiny_models import CONFIGS, checkpoint, inheriting_space, made, space_of

BERT_BASE = {"model_type": "bert", "vocab_size": 30522}


def choices(space: Auto) -> dict[str, tuple[Any, ...]]:
    return {knob.name: knob.values for knob in space.knobs()}


def refused(**options: Any) -> str:
    with pytest.raises(ConfigError) as found:
        make_component(Auto, options, id="hf/auto")
    assert "\n" not in str(found.value)
    return str(found.value)


def test_choices_of_bert_base_go_from_half_to_all_of_it() -> None:
    kept = choices(Auto(config=BERT_BASE))
    assert kept == {
        "layers": tuple(range(6, 13)),
        "heads": tuple(range(6, 13)),
        "intermediate": tuple(range(1536, 3073, 192)),
    }
    free = choices(Auto(config=BERT_BASE, head_width="free"))
    assert free == {**kept, "hidden": tuple(range(384, 769, 16))}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_full_network_has_the_configuration_that_the_space_begins_with(name: str) -> None:
    for head_width in ("kept", "free"):
        space = space_of(name, head_width=head_width)
        config = space.build(space.full()).config
        wanted = space.start.original.config
        for key in CONFIGS[name]:
            assert getattr(config, key) == getattr(wanted, key), key


def test_what_gpt2_does_not_say_is_four_times_its_width() -> None:
    config = {**CONFIGS["gpt2"], "n_inner": None}
    space = made(config=config)
    assert choices(space)["intermediate"] == tuple(range(64, 129, 8))
    assert space.build(space.full()).config.n_inner is None
    smaller = space.architecture({"layers": 2, "heads": 3, "intermediate": 128})
    assert space.build(smaller).h[0].mlp.c_fc.weight.shape == (24, 128)


def test_without_a_model_there_is_the_configuration_of_bert_base() -> None:
    space = Auto()
    assert choices(space) == choices(Auto(config=BERT_BASE))
    assert space.cost(space.full())["params"] == 109_482_240
    assert not space.inherits


def test_heads_of_llama_are_chosen_by_groups_beside_the_hidden_width() -> None:
    space = made(config={**CONFIGS["llama"], "num_attention_heads": 8, "num_key_value_heads": 4})
    assert choices(space)["heads"] == (4, 6, 8)
    assert choices(space)["hidden"] == (16, 32)
    arch = space.architecture({"layers": 2, "heads": 6, "hidden": 16, "intermediate": 64})
    config = space.build(arch).config
    assert (config.num_key_value_heads, config.head_dim, config.hidden_size) == (3, 4, 16)


def test_stacks_keep_their_proportion() -> None:
    space = space_of("t5-gated")
    assert choices(space)["layers"] == (2, 3, 4)
    for layers, decoder in ((2, 1), (3, 2), (4, 2)):
        config = space.build(
            space.architecture({"layers": layers, "heads": 4, "hidden": 32, "intermediate": 64})
        ).config
        assert (config.num_layers, config.num_decoder_layers, config.d_kv) == (layers, decoder, 12)


def test_what_equals_the_hidden_width_follows_it() -> None:
    values = {"layers": 2, "heads": 3, "intermediate": 64}
    for name, key, expected in (
        ("electra", "embedding_size", 16),
        ("electra-tied", "embedding_size", 24),
        ("albert", "embedding_size", 16),
        ("vit", "pooler_output_size", 24),
        ("vit-pooled", "pooler_output_size", 8),
        ("deberta", "pooler_hidden_size", 24),
    ):
        space = space_of(name)
        config = space.build(space.architecture(values)).config
        assert getattr(config, key) == expected, name
        assert config.hidden_size == 24


def test_a_hidden_width_is_what_the_heads_can_share_of_it() -> None:
    space = Auto(config=BERT_BASE, head_width="free")
    arch = space.architecture({"layers": 6, "heads": 7, "hidden": 384, "intermediate": 3072})
    assert space.dimensions(arch).hidden == 378
    for heads in choices(space)["heads"]:
        for hidden in choices(space)["hidden"]:
            values = {"layers": 6, "heads": heads, "hidden": hidden, "intermediate": 3072}
            canonical = space.canonical(values)
            width = hidden // heads * heads
            assert space.dimensions(space.unchecked(canonical)).hidden == width
            assert canonical["hidden"] == min(
                h for h in choices(space)["hidden"] if h // heads * heads == width
            )


def test_heads_are_no_wider_than_those_that_there_are_weights_for() -> None:
    space = inheriting_space("bert", head_width="free")
    arch = space.architecture({"layers": 3, "heads": 2, "hidden": 32, "intermediate": 64})
    assert space.dimensions(arch).hidden == 16
    without = space_of("bert", head_width="free")
    assert without.dimensions(without.architecture(arch.as_dict() | {"hidden": 32})).hidden == 32


def test_the_hidden_width_of_wav2vec2_is_a_multiple_of_its_groups_of_channels() -> None:
    space = space_of("wav2vec2", head_width="free")
    for arch in [space.sample(random.Random(seed)) for seed in range(8)]:
        assert space.dimensions(arch).hidden % 4 == 0
        space.build(arch)
    odd = {**CONFIGS["wav2vec2"], "num_conv_pos_embedding_groups": 16}
    assert choices(made(config=odd))["heads"] == (2, 4)
    why = refused(config=odd, heads=[3, 4], seconds=0.04)
    assert "heads has 3, which gives a width that 16 does not divide; choose from 4" in why


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"layers": [1, 2]}, {"layers": (1, 2)}),
        ({"heads": [1, 4]}, {"heads": (1, 4)}),
        ({"intermediate": [8]}, {"intermediate": (8,)}),
        ({"hidden": [4, 32], "head_width": "free"}, {"hidden": (4, 32)}),
    ],
)
def test_choices_can_be_given(options: dict[str, Any], expected: dict[str, tuple[int, ...]]) -> None:
    space = made(config=CONFIGS["bert"], **options)
    assert choices(space) == {**choices(space_of("bert", head_width=space.head_width)), **expected}
    space.build(space.smallest())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "x/y", "config": BERT_BASE}, "model and config both give the original network"),
        ({"config": {"hidden_size": 8}}, "'config' names no 'model_type'"),
        ({"config": {"model_type": "bertt"}}, "did you mean 'bert'?"),
        ({"config": {**BERT_BASE, "hidden_size": 100}}, "100 is not a multiple of num_attention_heads 12"),
        ({"config": {**BERT_BASE, "num_hidden_layers": 0}}, "num_hidden_layers 0; it must be a whole number"),
        (
            {"config": {**CONFIGS["llama"], "num_key_value_heads": 3}},
            "num_key_value_heads 3 does not divide 4",
        ),
        ({"config": BERT_BASE, "layers": [12, 6]}, "from small to large, from 1 to 12"),
        ({"config": BERT_BASE, "layers": [13]}, "from 1 to 12"),
        ({"config": BERT_BASE, "heads": [0, 1]}, "from 1 to 12"),
        ({"config": BERT_BASE, "hidden": [768]}, "choose heads, or set head_width=free"),
        (
            {"config": CONFIGS["llama"], "heads": [3]},
            "heads has 3, which is not a multiple of 2, the number of heads that share",
        ),
        ({"config": BERT_BASE, "seq_len": 513}, "seq_len 513 is more than the 512 positions"),
        ({"config": BERT_BASE, "probe_tokens": 600}, "probe_tokens 600 is more than the 512 positions"),
        ({"config": BERT_BASE, "seq_len": 0}, "greater than or equal to 1"),
        ({"config": CONFIGS["roberta"], "seq_len": 40}, "more than the 38 positions"),
        ({"config": BERT_BASE, "inherit": "largest"}, "choose from leading, magnitude"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(options: dict[str, Any], text: str) -> None:
    assert text in refused(**options)


def test_networks_that_cannot_be_made_smaller_are_refused_with_the_reason_and_the_guide() -> None:
    text = refused(config={"model_type": "mamba", "num_hidden_layers": 2, "hidden_size": 32})
    assert "networks of model type 'mamba' cannot be made smaller: its configuration has no key" in text
    assert text.endswith("docs/adding-a-family.md explains how to write a table")


def test_layers_of_several_kinds_are_taken_from_the_front() -> None:
    config = {**CONFIGS["qwen2"], "layer_types": ["full_attention", "sliding_attention", "full_attention"]}
    config |= {"use_sliding_window": True, "sliding_window": 4}
    assert "of several kinds in a fixed order; set inherit=leading" in refused(
        config=config, inherit="magnitude", seq_len=9
    )


def test_by_default_texts_are_as_long_as_there_are_positions() -> None:
    lengths = {"bert": 40, "roberta": 38, "clip": 40, "t5": 128}
    for name, expected in lengths.items():
        assert Auto(config=CONFIGS[name]).seq_len == expected, name
    assert Auto(config=BERT_BASE).seq_len == 128


def test_a_path_is_kept_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(checkpoint("bert"), tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    space = made(model="mine")
    assert space.options()["model"] == str(tmp_path / "mine")
    assert space.full().key == inheriting_space("bert").full().key
    assert str(tmp_path) not in space.fingerprint()


def test_other_weights_or_another_way_to_take_them_are_other_networks(tmp_path: Path) -> None:
    space = inheriting_space("bert")
    keys = {space.full().key, inheriting_space("bert", inherit="magnitude").full().key}
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "other")
    from transformers import AutoModel

    network = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        network.embeddings.LayerNorm.bias[0] += 1
    network.save_pretrained(folder)
    keys.add(made(model=str(folder)).full().key)
    keys.add(made(model=str(folder / "config.json")).full().key)
    keys.add(made(config=CONFIGS["bert"]).full().key)
    assert len(keys) == 5


@pytest.mark.parametrize("name", ["bert", "llama", "t5-gated", "wav2vec2"])
@pytest.mark.parametrize("head_width", ["kept", "free"])
def test_portable_options_make_the_same_keys_without_the_checkpoint(
    name: str, head_width: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(checkpoint(name), tmp_path / "checkpoint")
    space = made(model=str(folder), head_width=head_width, layers=[1, 2, 3])
    portable = json.loads(json.dumps(dict(space.portable())))
    rng = random.Random(0)
    members = [space.full(), *(space.sample(rng) for _ in range(6))]
    shutil.rmtree(folder)
    assert str(tmp_path) not in json.dumps(portable)
    other = make_component(Auto, portable, id="hf/auto")
    assert not other.inherits
    for arch in members:
        twin = other.parse(json.dumps(arch.as_dict()))
        assert twin.key == arch.key
        assert other.dimensions(twin) == space.dimensions(arch)
    assert dict(other.portable()) == portable


def test_a_digest_must_be_that_of_the_checkpoint() -> None:
    folder = str(checkpoint("bert"))
    space = inheriting_space("bert")
    again = made(model=folder, digest=space.start.digest())
    assert again.full().key == space.full().key
    assert "does not match" in refused(model=folder, digest="0" * 64, seq_len=9)


def test_the_tokenizer_of_a_checkpoint_is_an_asset(tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "checkpoint")
    assert made(model=str(folder)).assets() == {}
    (folder / "vocab.txt").write_text("[PAD]\n")
    assert made(model=str(folder)).assets() == {"tokenizer": folder / "vocab.txt"}
    assert space_of("bert").assets() == {}


def test_a_table_of_a_subclass_is_used_instead_of_a_derived_family() -> None:
    derived = space_of("bert").start.original.family

    class Mine(Auto):
        families: ClassVar[tuple[Family, ...]] = (dataclasses.replace(derived, name="mine", positions=""),)

    assert space_of("bert").start.original.positions == 40
    original = Mine(config=CONFIGS["bert"], seq_len=9).start.original
    assert original.family.name == "mine" and original.positions is None
