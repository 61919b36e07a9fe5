"""Networks of BERT: they are those of transformers, with every head, and load there without DE-NAS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

import denas_nlp
from denas_core import Architecture
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.models.trained import save_model
from denas_core.networks.heads import PositionHead
from denas_nlp.bert.hf import DenasBertConfig, DenasBertModel
from denas_nlp.bert.space import Bert
from tests.nlp.tiny_bert import SIZES

STOCK = Bert(**SIZES, tied=True).named("nlp/bert")
FREE = Bert(**SIZES, hidden=[12, 20], tied=False).named("nlp/bert")
SPACES = pytest.mark.parametrize("space", [STOCK, FREE], ids=["stock", "free"])


def loaded(space: Bert, head: nn.Module | None = None, **given: Any) -> tuple[Architecture, Any]:
    arch = space.smallest()
    assert arch is not None
    with torch.device("meta"):
        model = space.build(arch, head=head, **given)
    return arch, space.load(model, arch, seed=3).eval()


def reloaded(folders: dict[str, Path]) -> dict[str, torch.Tensor]:
    """Return what the networks of folders say in another process, by the automatic class that loads each.

    The stock ones are loaded where DE-NAS was never imported, what comes after them once the module of its own networks
    is, and nothing else of it.
    """
    code = f"""
import sys, torch, transformers
def load(auto, folder):
    model = getattr(transformers, auto).from_pretrained(folder).eval()
    ids = torch.arange(14).reshape(2, 7)
    out = model(input_ids=ids, attention_mask=(ids % 7 < 5).long(), token_type_ids=ids % 2)
    torch.save(out.to_tuple()[0], folder + "/out.pt")
*stock, own = {[(auto, str(folder)) for auto, folder in folders.items()]!r}
for each in stock:
    load(*each)
assert not any(name.startswith("denas") for name in sys.modules)
import denas_nlp.bert.hf
load(*own)
assert "denas_core" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {auto: torch.load(folder / "out.pt", weights_only=True) for auto, folder in folders.items()}


def asked(model: Any) -> Any:
    ids = torch.arange(14).reshape(2, 7)
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=(ids % 7 < 5).long(), token_type_ids=ids % 2)


def test_networks_whose_heads_share_the_width_are_stock_ones() -> None:
    assert type(loaded(STOCK)[1]) is transformers.BertModel
    assert type(loaded(FREE)[1]) is DenasBertModel
    twins = Bert(**SIZES, hidden=[16], tied=False).named("nlp/bert")
    assert type(loaded(twins)[1]) is transformers.BertModel


@SPACES
def test_a_head_for_positions_answers_questions_or_labels_tokens(space: Bert) -> None:
    batch = space.batch(2, seed=0)
    for labels, name in ((2, "ForQuestionAnswering"), (5, "ForTokenClassification")):
        _, model = loaded(space, PositionHead(_width(space), labels))
        assert type(model).__name__ in (f"Bert{name}", f"DenasBert{name}")
        with torch.no_grad():
            outputs, stock = space.forward(model, batch), model(**batch.inputs)
        expected = torch.stack([stock.start_logits, stock.end_logits], -1) if labels == 2 else stock.logits
        assert torch.equal(outputs.logits["logits"], expected)
        assert outputs.logits["logits"].shape == (2, 7, labels)
        assert outputs.masks["logits"].shape == (2, 7)
        assert model.config.num_labels == labels
        assert not any("pooler" in parameter for parameter, _ in model.named_parameters())


@SPACES
@pytest.mark.parametrize("labels", [1, 3])
def test_a_linear_head_classifies_texts(space: Bert, labels: int) -> None:
    _, model = loaded(space, nn.Linear(_width(space), labels))
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        outputs, stock = space.forward(model, batch), model(**batch.inputs)
        features = model.bert(**batch.inputs).last_hidden_state
    assert type(model).__name__ in ("BertForSequenceClassification", "DenasBertForSequenceClassification")
    assert torch.equal(outputs.logits["logits"], stock.logits)
    assert torch.equal(outputs.features, features)
    assert outputs.logits["logits"].shape == (2, labels)
    assert "logits" not in outputs.masks


def test_any_other_head_takes_the_pooled_features() -> None:
    head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 4))
    _, model = loaded(STOCK, head)
    batch = STOCK.batch(2, seed=0)
    with torch.no_grad():
        logits = STOCK.forward(model, batch).logits["logits"]
        assert torch.equal(logits, model(**batch.inputs).logits)
        assert torch.equal(logits, head(model.base_model(**batch.inputs).pooler_output))
    assert torch.equal(head[0].weight, torch.ones(16))
    assert [view.kind for view in STOCK.views(model)][-1] == "head"


def test_a_head_for_another_width_is_refused() -> None:
    with pytest.raises(PluginError, match="a head for 5 features does not fit a BERT of 16"):
        loaded(STOCK, nn.Linear(5, 2))


def test_an_activation_that_is_unknown_is_refused() -> None:
    space = Bert(**SIZES, config={"hidden_act": "gelo"}).named("nlp/bert")
    with pytest.raises(ConfigError, match=r"no activation 'gelo' .* did you mean 'gelu'"):
        space.build(space.smallest())


def test_the_mask_hides_what_is_padded() -> None:
    _, model = loaded(FREE)
    batch = FREE.batch(1, seed=0)
    batch.inputs["attention_mask"][0, 5:] = 0
    with torch.no_grad():
        before = FREE.forward(model, batch).features
        batch.inputs["input_ids"][0, 5:] = 1
        after = FREE.forward(model, batch).features
    assert torch.equal(before[:, :5], after[:, :5])


@SPACES
def test_fresh_weights_are_those_of_transformers(space: Bert) -> None:
    head = nn.Linear(_width(space), 2)
    before = torch.get_rng_state()
    _, model = loaded(space, head)
    assert torch.equal(torch.get_rng_state(), before)
    for name, parameter in model.named_parameters():
        if "LayerNorm" in name:
            assert torch.equal(parameter, torch.full_like(parameter, float(name.endswith("weight")))), name
        elif name.endswith("bias"):
            assert not parameter.any(), name
        else:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.5), name
    assert not model.bert.embeddings.word_embeddings.weight[0].any(), "padding has no features"
    assert torch.equal(model.bert.embeddings.position_ids, torch.arange(16)[None])


def test_the_spread_of_fresh_weights_is_an_option() -> None:
    space = Bert(**SIZES, config={"initializer_range": 0.5}).named("nlp/bert")
    assert loaded(space)[1].pooler.dense.weight.std().item() == pytest.approx(0.5, rel=0.3)


@SPACES
def test_every_parameter_takes_part_in_training(space: Bert) -> None:
    _, model = loaded(space, nn.Linear(_width(space), 2))
    batch = space.batch(2, seed=0)
    space.forward(model.train(), batch).logits["logits"].square().sum().backward()
    still = [name for name, parameter in model.named_parameters() if not parameter.grad.any()]
    # The bias of a key adds the same to all its logits.
    assert not [name for name in still if not name.endswith("key.bias")]


@SPACES
def test_the_plain_variant_has_no_residual_connections(space: Bert) -> None:
    _, model = loaded(space, variant="plain")
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        x = model.embeddings(batch.inputs["input_ids"])
        for layer in model.encoder.layer:
            attention = layer.attention.output
            x = attention.LayerNorm(attention.dense(layer.attention.self(x)[0]))
            x = layer.output.LayerNorm(layer.output.dense(layer.intermediate(x)))
        assert torch.allclose(space.forward(model, batch).features, x, atol=1e-6)


def test_saved_networks_load_where_there_is_no_denas(tmp_path: Path) -> None:
    networks = {
        "AutoModel": loaded(STOCK)[1],
        "AutoModelForQuestionAnswering": loaded(STOCK, PositionHead(16, 2))[1],
        "AutoModelForSequenceClassification": loaded(FREE, nn.Linear(12, 3))[1],
    }
    for name, network in networks.items():
        network.save_pretrained(tmp_path / name)
    outputs = reloaded({name: tmp_path / name for name in networks})
    for name, network in networks.items():
        # In another process, where numbers may lie elsewhere in memory and be summed in another order.
        torch.testing.assert_close(outputs[name], asked(network).to_tuple()[0], rtol=1e-5, atol=1e-5)
    config = transformers.AutoConfig.from_pretrained(tmp_path / "AutoModelForSequenceClassification")
    assert type(config) is DenasBertConfig and config.attention_head_size == 8


def test_a_trained_network_is_loaded_by_its_folder(tmp_path: Path) -> None:
    arch, model = loaded(FREE)
    save_model(tmp_path, TrainedModel(space=FREE, arch=arch, network=model))
    assert torch.equal(asked(denas_nlp.load(tmp_path))[0], asked(model)[0])


def _width(space: Bert) -> int:
    smallest = space.smallest()
    assert smallest is not None
    return space.dimensions(smallest).hidden
