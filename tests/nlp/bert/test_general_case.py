"""BERT is a model like those of hf/auto: it has all of their ways to inherit, and reads what was written before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from denas_core import Candidate
from denas_core.errors import ConfigError, ScoreFailed
from denas_core.pretrained import Axis
from denas_core.registry.options import make_component
from denas_core.registry.registry import Registry
from denas_hf.fidelity import Fidelity
from denas_hf.space import Auto
from denas_nlp.bert.hf import DenasBertConfig, DenasBertModel
from denas_nlp.bert.space import Bert
from tests.nlp.tiny_bert import SIZES, member, save_checkpoint, space_of

SILENT = (0, 3, 5, 6, *range(16, 24))
"""Half of 24 neurons; the first ones are among them, so that ``leading`` keeps some."""


OF_A_CHECKPOINT = {
    "tied": False,
    "inherit": "magnitude",
    "digest": "c3f7ed768e34f24e23f1e8a2732f566b120eb56849628cc28d7bf83657295b65",
    "layers": [1, 2, 3],
    "heads": [3, 4],
    "hidden": [6, 32],
    "intermediate": [1, 24],
    "head_size": 8,
    "vocab_size": 60,
    "positions": 16,
    "seq_len": 9,
    "probe_tokens": 9,
    "config": {
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "classifier_dropout": None,
        "pad_token_id": 0,
    },
}
"""Options of a trained model that began with a checkpoint, as they were written when BERT had code of its own."""

FRESH = {
    "bert.embeddings.word_embeddings.weight": 0.010438813549626502,
    "bert.embeddings.token_type_embeddings.weight": 0.006811300641857088,
    "bert.encoder.layer.0.attention.self.query.weight": -0.11024723856098717,
    "bert.encoder.layer.0.attention.output.dense.weight": -0.10507636194233783,
    "bert.encoder.layer.0.output.dense.weight": 0.04156145188608207,
    "bert.pooler.dense.weight": -0.14341757002694067,
    "classifier.weight": 0.1782867374131456,
}
"""Sums of fresh weights by name, as they were when BERT had code of its own."""


def save_wide(folder: Path) -> Path:
    """Write a checkpoint with attention of 12 features and a hidden width of 20, in which some neurons do nothing."""
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 20, "intermediate_size": 24}
    given = {"vocab_size": 60, "max_position_embeddings": 16, "attention_head_size": 4}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = DenasBertModel(DenasBertConfig(**given, **sizes))
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
            if "intermediate.dense" in name:
                parameter[list(SILENT)] = 0
    model.save_pretrained(folder)
    return folder


def features(space: Bert, network: nn.Module) -> Tensor:
    with torch.no_grad():
        return space.forward(network, space.batch(3, seed=2)).features


@pytest.mark.parametrize("by", ["activation", "contribution", "taylor"])
def test_neurons_that_do_nothing_are_left_out_whatever_the_width_of_attention(
    by: str, tmp_path: Path
) -> None:
    space = space_of(save_wide(tmp_path), inherit=by, intermediate=[12, 24])
    small = member(space, intermediate=12)
    assert type(small) is DenasBertModel
    assert torch.allclose(features(space, small), features(space, member(space)), atol=1e-5)
    kept = space.start.inheritance.choice(small.config).kept
    assert all(set(kept[Axis("ffn", "layer", layer)]).isdisjoint(SILENT) for layer in range(2))


def test_the_importance_decides_the_key_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path)
    keys = {by: space_of(folder, inherit=by).fingerprint() for by in ("leading", "magnitude", "activation")}
    assert len(set(keys.values())) == 3 and "calibration" in keys["activation"]
    with pytest.raises(ConfigError, match="there is no importance 'activations'; did you mean 'activation'"):
        space_of(folder, inherit="activations")


def test_inherited_weights_can_be_fitted_to_the_checkpoint(tmp_path: Path) -> None:
    space = space_of(save_checkpoint(tmp_path), reconstructs=True, intermediate=[6, 24])
    full = space.full()
    assert full is not None and not space.reconstructs_weights(full)
    arch = space.architecture({**full.as_dict(), "intermediate": 6})
    assert space.reconstructs_weights(arch)
    whole = features(space, member(space))
    before = (features(space, member(space, intermediate=6)) - whole).square().mean()
    fitted = space.reconstruct(member(space, intermediate=6), arch).eval()
    assert (features(space, fitted) - whole).square().mean() < 0.9 * before


def test_weights_can_be_read_while_a_network_runs(tmp_path: Path) -> None:
    space = space_of(save_checkpoint(tmp_path))
    full = space.full()
    assert full is not None
    with torch.device("meta"):
        structure = space.build(full)
    streamed = space.stream(structure, full, seed=0)
    assert streamed is not None and next(iter(streamed.parameters())).is_meta
    assert torch.equal(features(space, streamed.eval()), features(space, member(space)))


def test_fidelity_compares_with_the_checkpoint_or_says_which_option_names_one(tmp_path: Path) -> None:
    space = space_of(save_checkpoint(tmp_path), layers=[1, 3])
    full, smallest = space.full(), space.smallest()
    assert full is not None and smallest is not None
    assert Fidelity().measure(Candidate(space, full)) == pytest.approx(0, abs=1e-9)
    assert Fidelity().measure(Candidate(space, smallest)) < -1e-3
    without = make_component(Bert, SIZES, id="nlp/bert")
    with pytest.raises(ScoreFailed, match=r"name it in space\.checkpoint$"):
        Fidelity().measure(Candidate(without, without.smallest()))


def test_shrinking_a_checkpoint_stays_with_hf_auto() -> None:
    assert Bert.shrinking("model", data=None, task=None) is None
    assert Auto.shrinking("model", data=None, task=None)["space"]["model"] == "model"


def test_a_linear_head_without_a_bias_is_put_after_the_pooler_because_the_class_has_one() -> None:
    space = Bert(**SIZES).named("nlp/bert")
    smallest = space.smallest()
    network = space.load(space.build(smallest, head=nn.Linear(16, 3, bias=False)), smallest, seed=0)
    assert [name for name, _ in network.named_parameters() if name.startswith("head")] == ["head.weight"]


def test_networks_that_were_saved_with_a_base_model_called_bert_are_read() -> None:
    space = Bert(**SIZES).named("nlp/bert")
    smallest = space.smallest()

    def network(seed: int) -> nn.Module:
        head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 4))
        return space.load(space.build(smallest, head=head), smallest, seed=seed).eval()

    saved, other = network(1), network(2)
    before = {name.replace("base.", "bert.", 1): tensor for name, tensor in saved.state_dict().items()}
    assert any(name.startswith("bert.") for name in before)
    other.load_state_dict(before)
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        assert torch.equal(
            space.forward(saved, batch).logits["logits"], space.forward(other, batch).logits["logits"]
        )


@pytest.mark.parametrize(
    ("id", "options", "arch", "key"),
    [
        ("nlp/bert:base", {}, "(4, 8, 512, 512, 160)", "fb54f16d43cfb08ddb7a918265ca0bf9"),
        ("nlp/bert:denas", {}, "(4, 8, 512, 128, 128)", "e7437f4c7a3b7d7890da14aee58e8545"),
        ("nlp/bert:micro", {}, "(2, 2, 64, 64, 64)", "0204c8b376c09bd44f5308991d7a6768"),
        ("nlp/bert", OF_A_CHECKPOINT, "(1, 3, 24, 6, 1)", "51179027c80786f3becd07729967ec97"),
    ],
)
def test_options_of_before_give_the_keys_of_before(
    id: str, options: dict[str, Any], arch: str, key: str
) -> None:
    """The keys, and with them the seeds of fresh weights, as they were when BERT had code of its own."""
    space = Registry.discover().create("space", id, options)
    assert space.parse(arch).key == key


def test_fresh_weights_are_those_of_before() -> None:
    space = Bert(**SIZES, hidden=[12, 20], tied=False).named("nlp/bert")
    smallest = space.smallest()
    network = space.load(space.build(smallest, head=nn.Linear(12, 3)), smallest, seed=3)
    found = {name: parameter.double().sum().item() for name, parameter in network.named_parameters()}
    for name, value in FRESH.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
