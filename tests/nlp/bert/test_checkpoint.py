"""What a space takes from a checkpoint besides weights: sizes, settings, its tokenizer, and a key of its own."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from denas_core.errors import ConfigError
from denas_core.networks.heads import PositionHead
from denas_core.registry.options import make_component
from denas_nlp.bert.hf import DenasBertConfig, DenasBertModel
from denas_nlp.bert.space import Bert
from tests.nlp.tiny_bert import member, save_checkpoint, space_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("bert"))


def test_a_pooler_that_the_checkpoint_lacks_is_fresh(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, kind="BertForMaskedLM")
    space = space_of(tmp_path)
    first, again = member(space), member(space)
    assert first.pooler.dense.weight.std().item() == pytest.approx(0.02, rel=0.3)
    assert torch.equal(first.pooler.dense.weight, again.pooler.dense.weight)
    stock = transformers.BertForMaskedLM.from_pretrained(tmp_path)
    words = stock.bert.embeddings.word_embeddings.weight
    assert torch.equal(first.embeddings.word_embeddings.weight, words)
    assert not any("pooler" in name for name, _ in member(space, PositionHead(32, 2)).named_parameters())


def test_sizes_and_settings_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, vocab_size=70, hidden_act="relu", layer_norm_eps=1e-5, type_vocab_size=3)
    space = space_of(tmp_path, seq_len=None)
    config = member(space).config
    assert (config.vocab_size, config.hidden_act, config.layer_norm_eps) == (70, "relu", 1e-5)
    assert config.type_vocab_size == 3
    assert space.seq_len == 16, "all positions, where there are fewer than usual"
    assert space.format(space.full()) == "(3, 4, 32, 32, 24)"
    assert {knob.name: (knob.values[0], knob.values[-1]) for knob in space.knobs()} == {
        "layers": (1, 3),
        "heads": (3, 4),
        "hidden": (6, 32),
        "intermediate": (1, 24),
    }


def test_a_configuration_alone_gives_sizes_and_no_weights(folder: Path) -> None:
    space = space_of(folder / "config.json")
    assert not space.inherits
    assert space.format(space.full()) == "(3, 4, 32, 32, 24)"
    full = space.full()
    with pytest.raises(ConfigError, match="no checkpoint to inherit weights from"):
        space.load(space.build(full), full, seed=0, weights="inherited")


def test_a_network_of_its_own_kind_is_a_checkpoint_too(tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 20, "intermediate_size": 10}
    given = {"vocab_size": 60, "max_position_embeddings": 16, "attention_head_size": 4}
    model = DenasBertModel(DenasBertConfig(**given, **sizes)).eval()
    model.save_pretrained(tmp_path)
    space = space_of(tmp_path)
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        assert torch.equal(
            member(space)(**batch.inputs).last_hidden_state, model(**batch.inputs).last_hidden_state
        )
    assert space_of(tmp_path, tied=True).full().as_dict()["heads"] == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"is_decoder": True}, "is a decoder, but nlp/bert needs an encoder"),
        ({"position_embedding_type": "relative_key"}, "is a network with 'relative_key' positions"),
        ({"model_type": "roberta"}, "of model type 'roberta'.*hf/auto supports other families"),
        ({"num_attention_heads": 5}, "32 hidden features, which 5 heads cannot divide equally"),
        ({"num_hidden_layers": 0}, "has 0 as its layers; download it again"),
        ({"model_type": "denas-bert", "attention_head_size": "wide"}, "has 'wide' as its head_size"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(
    folder: Path, tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    values = {**json.loads((folder / "config.json").read_text()), **config}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=message):
        space_of(tmp_path)


def test_keys_depend_on_the_weights_and_on_how_they_are_taken_and_not_on_their_place(
    folder: Path, tmp_path: Path
) -> None:
    space = space_of(folder)
    text = space.format(space.full())
    copy = space_of(Path(shutil.copytree(folder, tmp_path / "copy")))
    assert space.parse(text) == copy.parse(text)
    assert space.parse(text) != space_of(folder, inherit="magnitude").parse(text)
    other = save_checkpoint(tmp_path / "other", initializer_range=0.5)
    assert space.parse(text) != space_of(other).parse(text)
    assert str(folder) not in space.fingerprint()


def test_a_trained_model_needs_no_checkpoint(folder: Path) -> None:
    space = space_of(folder, hidden=[20, 32], config={"hidden_dropout_prob": 0.3})
    portable = space.portable()
    assert str(folder) not in str(portable)
    again: Bert = make_component(Bert, portable, id="nlp/bert")
    for arch in (space.full(), space.sample(random.Random(1))):
        assert again.parse(space.format(arch)) == arch
        shapes = [{n: p.shape for n, p in s.build(arch).named_parameters()} for s in (space, again)]
        assert shapes[0] == shapes[1]
    assert not again.inherits
    assert again.build(space.full()).config.hidden_dropout_prob == 0.3
    assert again.portable() == portable
    with pytest.raises(ConfigError, match="digest 'abc' does not match the checkpoint"):
        space_of(folder, digest="abc")


def test_the_tokenizer_of_the_checkpoint_is_at_hand(folder: Path, tmp_path: Path) -> None:
    assert space_of(folder).assets() == {}
    save_checkpoint(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n")
    assert space_of(tmp_path).assets() == {"tokenizer": tmp_path / "vocab.txt"}
