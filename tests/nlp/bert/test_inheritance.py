"""Weights from a checkpoint of BERT: whole, permuted, sliced against masked, by importance, read once."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from denas_core import Candidate
from denas_core.networks.heads import PositionHead
from denas_core.pretrained.inheritance import Choice, take
from denas_core.pretrained.layout import Axis
from denas_core.registry.options import make_component
from denas_hf.weights import load_weights
from denas_nlp.bert.space import Bert
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency
from tests.nlp.tiny_bert import member, save_checkpoint, space_of
from tests.trained_checkpoint import minilm

LAYERS = range(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def stock(folder: Path) -> Any:
    return transformers.AutoModel.from_pretrained(folder).eval()


def hidden(space: Bert, model: nn.Module) -> Tensor:
    """Return the last hidden states in float64, of noise with some of it padded."""
    batch = space.batch(3, seed=2)
    batch.inputs["attention_mask"][:, 6:] = 0
    with torch.no_grad():
        return space.forward(model.double(), batch).features


def masked(stock: Any, layers: list[int], dropped: Mapping[str, Mapping[int, list[int]]]) -> Any:
    """Return the whole checkpoint with members that add nothing to what comes after them."""
    model = transformers.BertModel(stock.config)
    model.load_state_dict(stock.state_dict())
    with torch.no_grad():
        for index, layer in enumerate(model.encoder.layer):
            for head in dropped.get("heads", {}).get(index, []):
                layer.attention.output.dense.weight[:, 8 * head : 8 * head + 8] = 0
            layer.output.dense.weight[:, dropped.get("intermediate", {}).get(index, [])] = 0
    model.encoder.layer = nn.ModuleList(model.encoder.layer[index] for index in layers)
    return model.eval()


def importances(stock: Any) -> tuple[list[float], list[list[float]], list[list[float]]]:
    """Return sums of squares of layers, of heads and of neurons, written out by hand."""
    of_heads, of_neurons, of_layers = [], [], []
    for layer in stock.encoder.layer:
        attention = layer.attention
        parts = [
            p.weight.square().sum(1) + p.bias.square()
            for p in attention.self.children()
            if hasattr(p, "bias")
        ]
        rows = sum(parts) + attention.output.dense.weight.square().sum(0)
        of_heads.append(rows.reshape(4, 8).sum(1).tolist())
        neurons = layer.intermediate.dense.weight.square().sum(1) + layer.intermediate.dense.bias.square()
        of_neurons.append((neurons + layer.output.dense.weight.square().sum(0)).tolist())
        of_layers.append(sum(p.square().sum().item() for p in layer.parameters()))
    return of_layers, of_heads, of_neurons


def smallest(values: list[float], count: int) -> list[int]:
    return sorted(sorted(range(len(values)), key=values.__getitem__)[:count])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("inherit", ["leading", "magnitude"])
def test_the_full_size_gives_the_outputs_of_the_checkpoint_bit_for_bit(
    folder: Path, stock: Any, tied: bool, inherit: str
) -> None:
    space = space_of(folder, tied=tied, inherit=inherit)
    model = member(space)
    batch = space.batch(3, seed=2)
    with torch.no_grad():
        expected, found = stock(**batch.inputs), model(**batch.inputs)
    assert type(model) is transformers.BertModel
    assert torch.equal(found.last_hidden_state, expected.last_hidden_state)
    assert torch.equal(found.pooler_output, expected.pooler_output)


def test_a_trained_checkpoint_comes_through_whole() -> None:
    """MiniLM: 6 layers, 12 heads of 32 features, 22.7 million weights; with the tokenizer beside it."""
    folder = minilm()
    space = space_of(folder, tied=True, inherit="magnitude")
    assert space.format(space.full()) == "(6, 12, 384, 384, 1536)"
    assert space.cost(space.full())["params"] == 22_713_216
    assert space.assets()["tokenizer"].name == "tokenizer.json"
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        found = member(space)(**batch.inputs)
        expected = transformers.AutoModel.from_pretrained(folder).eval()(**batch.inputs)
    assert torch.equal(found.last_hidden_state, expected.last_hidden_state)


def test_a_permutation_of_heads_or_neurons_leaves_the_outputs_as_they_were(folder: Path, stock: Any) -> None:
    space, rng = space_of(folder), random.Random(0)
    kept = {
        Axis(name, "layer", layer): tuple(rng.sample(range(count), count))
        for layer in LAYERS
        for name, count in (("heads", 4), ("ffn", 24))
    }
    original = space.original
    sizes = original.sizes(original.config)
    weights = take(original.layout, dict(stock.state_dict()), Choice(kept), sizes=sizes)
    full = space.full()
    assert full is not None
    permuted = load_weights(space.build(full), seed=0, inherited=weights).eval()
    moved = [name for name, tensor in stock.state_dict().items() if not torch.equal(weights[name], tensor)]
    assert len(moved) == 3 * (3 * 2 + 1 + 2 + 1)
    expected = hidden(space, member(space))
    assert (hidden(space, permuted) - expected).abs().max() < 1e-12


@pytest.mark.parametrize("inherit", ["leading", "magnitude"])
def test_what_is_sliced_is_what_is_masked(folder: Path, stock: Any, inherit: str) -> None:
    """Of heads, neurons and layers, each alone and all together; the hidden width changes the norms."""
    space = space_of(folder, inherit=inherit)
    of_layers, of_heads, of_neurons = importances(stock)
    if inherit == "leading":
        out = {"layers": [2], "heads": [2, 3], "intermediate": list(range(7, 24))}
        heads = dict.fromkeys(LAYERS, out["heads"])
        neurons = dict.fromkeys(LAYERS, out["intermediate"])
        layers = [0, 1]
    else:
        heads = {layer: smallest(of_heads[layer], 2) for layer in LAYERS}
        neurons = {layer: smallest(of_neurons[layer], 17) for layer in LAYERS}
        layers = [layer for layer in LAYERS if layer not in smallest(of_layers, 1)]
    every = list(LAYERS)
    cases: list[tuple[dict[str, int], Any]] = [
        ({"heads": 2}, masked(stock, every, {"heads": heads})),
        ({"intermediate": 7}, masked(stock, every, {"intermediate": neurons})),
        ({"layers": 2}, masked(stock, layers, {})),
        (
            {"layers": 2, "heads": 2, "intermediate": 7},
            masked(stock, layers, {"heads": heads, "intermediate": neurons}),
        ),
    ]
    whole = hidden(space, member(space))
    for values, model in cases:
        offering = space_with(space, values)
        found, expected = hidden(offering, member(offering, **values)), hidden(space, model)
        assert (found - expected).abs().max() < 1e-12, values
        assert (found - whole).abs().max() > 1e-3, values


def space_with(space: Bert, values: dict[str, int]) -> Bert:
    """Return `space` with the choices of `values` beside the largest ones."""
    full = space.full()
    assert full is not None
    choices = {name: sorted({value, int(full[name])}) for name, value in values.items()}
    other: Bert = make_component(Bert, {**space.options(), **choices}, id="nlp/bert")
    return other


def test_the_hidden_width_is_one_choice_for_the_whole_network(folder: Path, stock: Any) -> None:
    for inherit in ("leading", "magnitude"):
        model = member(space_of(folder, inherit=inherit, hidden=[20, 32]), hidden=20)
        words = model.embeddings.word_embeddings.weight
        kept = [
            column
            for column in range(32)
            if any(
                torch.equal(stock.embeddings.word_embeddings.weight[:, column], words[:, i])
                for i in range(20)
            )
        ]
        assert len(kept) == 20
        assert (kept == list(range(20))) == (inherit == "leading")
        for layer, whole in zip(model.encoder.layer, stock.encoder.layer, strict=True):
            assert torch.equal(layer.output.LayerNorm.weight, whole.output.LayerNorm.weight[kept])
            assert torch.equal(layer.attention.self.query.weight, whole.attention.self.query.weight[:, kept])
        assert torch.equal(model.pooler.dense.weight, stock.pooler.dense.weight[kept][:, kept])


def test_a_tied_network_takes_whole_heads_and_as_many_hidden_features(folder: Path, stock: Any) -> None:
    model = member(space_of(folder, tied=True), heads=3)
    assert type(model) is transformers.BertModel and model.config.hidden_size == 24
    whole = stock.encoder.layer[0].attention.self.query.weight
    assert torch.equal(model.encoder.layer[0].attention.self.query.weight, whole[:24, :24])


def test_heads_of_tasks_are_fresh_and_the_rest_is_not(folder: Path, stock: Any) -> None:
    space = space_of(folder)
    full = space.full()
    assert full is not None
    for head in (nn.Linear(32, 3), PositionHead(32, 2), nn.Sequential(nn.Linear(32, 2))):
        model = member(space, head)
        for name, parameter in model.base_model.named_parameters():
            assert torch.equal(parameter, stock.state_dict()[name]), name
        fresh = space.load(space.build(full, head=head), full, seed=5)
        prefix = space.prefix(fresh)
        last = {n: p for n, p in fresh.named_parameters() if not n.startswith(prefix)}
        assert last
        for name, parameter in last.items():
            assert parameter.isfinite().all()
            assert "bias" in name or parameter.std() > 0.005


def test_training_a_network_leaves_the_checkpoint_as_it_is(folder: Path) -> None:
    space = space_of(folder)
    first = member(space)
    before = hidden(space, member(space))
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.zero_()
    assert torch.equal(hidden(space, member(space)), before)


def test_the_weights_are_read_once_for_all_networks(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    space, rng = space_of(copy, inherit="magnitude"), random.Random(0)
    member(space)
    for path in copy.iterdir():
        path.unlink()
    for _ in range(5):
        arch = space.sample(rng)
        space.cost(arch)
        space.load(space.build(arch), arch, seed=0, weights="inherited")
        Saliency(weights_from="inherited").measure(Candidate(space, arch))


def test_inherited_weights_have_scores(folder: Path) -> None:
    space = space_of(folder)
    recipe = space.reference_recipe()
    assert recipe.initialisation == "inherited"
    for arch in (space.smallest(), space.full()):
        candidate = Candidate(space, arch)
        assert 0 < Diversity(weights_from="inherited").measure(candidate) < 1e9
        assert -50 < Saliency(weights_from="inherited").measure(candidate) < 100
