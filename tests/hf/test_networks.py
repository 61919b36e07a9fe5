"""Networks of every family: what they put out, what heads they get, and where their weights are."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from denas_core.networks.heads import PositionHead
from denas_hf.network import HeadedNetwork, base_of

from .tiny_models import CONFIGS, CONTINUOUS, TEXTS, TOKENS, config_of, space_of

pytestmark = pytest.mark.numerics

NOT_IN_LAYERS = ("embed", "pooler", "projection", "conv", "wte", "wpe", "shared", "relative_attention_bias")
"""Parts of the names of matrices that are neither attention nor feed-forward layers."""

POSITIONAL = ("attention.self.pos_key_proj", "attention.self.pos_query_proj")
"""Those of DeBERTa that multiply relative positions."""


@pytest.mark.parametrize("name", CONFIGS)
def test_features_have_the_hidden_width_at_every_position(name: str) -> None:
    space = space_of(name)
    for arch in (space.full(), space.smallest()):
        network = space.initialise(space.build(arch), seed=0).eval()
        with torch.no_grad():
            outputs = space.forward(network, space.batch(2, seed=0))
        width = space.dimensions(arch).hidden
        assert outputs.features.shape[0] == 2 and outputs.features.shape[2] == width
        assert all(logits.shape[-1] == width for logits in outputs.logits.values())
        assert torch.equal(next(iter(outputs.logits.values())), outputs.features)
        if name in TEXTS:
            assert outputs.features.shape[1] == TOKENS
            assert all(mask.shape == (2, TOKENS) for mask in outputs.masks.values())
            assert set(outputs.masks) == {"features", *outputs.logits}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_linear_head_becomes_that_of_the_class_for_whole_samples(name: str) -> None:
    space = space_of(name)
    arch = space.smallest()
    with torch.device("meta"):
        network = space.build(arch, head=nn.Linear(space.dimensions(arch).hidden, 3))
    # CLIP has no such class for texts, and those of T5 and Bart want texts that end in their own end token.
    is_stock = not isinstance(network, HeadedNetwork)
    assert is_stock == (CONFIGS[name]["model_type"] not in ("clip_text_model", "t5", "mt5", "bart"))
    assert not is_stock or "Classification" in type(network).__name__
    outputs = space.forward(space.initialise(network, seed=0).eval(), space.batch(2, seed=0))
    assert outputs.logits["logits"].shape == (2, 3)
    assert "logits" not in outputs.masks
    prefix, base = base_of(network)
    assert prefix and base is not network
    heads = [view for view in space.views(network) if view.kind == "head"]
    assert heads and not any(view.parameter.startswith(prefix) for view in heads)
    assert {view.layer for view in heads} == {max(view.layer for view in space.views(network))}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("outputs", [2, 5])
def test_a_position_head_becomes_that_of_the_class_for_answers_or_tokens(name: str, outputs: int) -> None:
    space = space_of(name)
    arch = space.smallest()
    with torch.device("meta"):
        network = space.build(arch, head=PositionHead(space.dimensions(arch).hidden, outputs))
    if not isinstance(network, HeadedNetwork):
        wanted = "ForQuestionAnswering" if outputs == 2 else "ForTokenClassification"
        assert type(network).__name__.endswith(wanted)
    found = space.forward(space.initialise(network, seed=0).eval(), space.batch(2, seed=0))
    assert found.logits["logits"].shape == (2, TOKENS, outputs)
    assert found.masks["logits"].shape == (2, TOKENS)


@pytest.mark.parametrize("name", CONFIGS)
def test_any_other_head_takes_what_the_network_pools(name: str) -> None:
    space = space_of(name)
    arch = space.smallest()
    head = nn.Identity()
    network = space.initialise(space.build(arch, head=head), seed=0).eval()
    assert any(module is head for module in network.modules())
    pooled = space.forward(network, space.batch(2, seed=0)).logits["logits"]
    assert pooled.shape == (2, 8 if name == "vit-pooled" else space.dimensions(arch).hidden)


def test_a_text_is_pooled_over_the_positions_that_count() -> None:
    import dataclasses

    space = space_of("distilbert")
    network = space.initialise(space.build(space.full(), head=nn.Identity()), seed=0).eval()
    batch = space.batch(2, seed=0)
    mask = torch.ones_like(batch.inputs["input_ids"])
    mask[:, 4:] = 0
    padded = dataclasses.replace(batch, inputs={**batch.inputs, "attention_mask": mask})
    outputs = space.forward(network, padded)
    torch.testing.assert_close(outputs.logits["logits"], outputs.features[:, :4].mean(1))


@pytest.mark.parametrize("name", CONFIGS)
def test_views_cover_every_matrix_of_attention_and_feed_forward_layers(name: str) -> None:
    space = space_of(name)
    with torch.device("meta"):
        network = space.build(space.full())
    views = space.views(network)
    viewed = {view.parameter for view in views if view.is_attention or view.is_feed_forward}
    matrices = {
        f"{path}.weight"
        for path, module in network.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and not any(part in path for part in NOT_IN_LAYERS)
    }
    assert viewed == {path for path in matrices if not any(part in path for part in POSITIONAL)}
    sizes = space.dimensions(space.full())
    parameters = dict(network.named_parameters())
    for view in views:
        rows, columns = view.of(parameters[view.parameter]).shape[:2]
        if view.kind == "ffn.in":
            assert (rows, columns) == (sizes.intermediate, sizes.hidden)
        elif view.kind == "ffn.out":
            assert (rows, columns) == (sizes.hidden, sizes.intermediate)
        elif view.kind == "attention.out":
            assert rows == sizes.hidden
        elif view.is_attention:
            assert columns == sizes.hidden


@pytest.mark.parametrize("name", CONFIGS)
def test_every_layer_has_queries_keys_values_output_and_a_feed_forward_block(name: str) -> None:
    space = space_of(name)
    views = space.views(space.build(space.full()))
    layers = {view.layer for view in views if view.kind == "attention.q"}
    depth = 1 if name == "albert" else sum(space.start.original.depths.values())
    assert layers == set(range(1, depth + 1))
    for layer in layers:
        kinds = {view.kind for view in views if view.layer == layer} - {"embed"}
        assert kinds == {
            *(f"attention.{part}" for part in ("q", "k", "v", "out")),
            *("ffn.in", "ffn.out"),
        }
    assert {view.layer for view in views if view.kind == "embed"} == {0}


def test_the_fused_projection_of_gpt2_is_sliced_into_queries_keys_and_values() -> None:
    space = space_of("gpt2")
    arch = space.architecture({"layers": 1, "heads": 3, "intermediate": 64})
    network = space.initialise(space.build(arch), seed=0).eval()
    fused = network.h[0].attn.c_attn
    x = torch.randn(1, 5, 24)
    queries, keys, values = fused(x).split(24, dim=2)
    parameters = dict(network.named_parameters())
    by_kind = {view.kind: view.of(parameters[view.parameter]) for view in space.views(network)}
    for kind, expected in (("q", queries), ("k", keys), ("v", values)):
        torch.testing.assert_close(x @ by_kind[f"attention.{kind}"].T, expected)
    torch.testing.assert_close(
        by_kind["attention.out"].T.contiguous(), parameters["h.0.attn.c_proj.weight"].data
    )


@pytest.mark.parametrize("name", ["llama", "qwen3", "t5", "t5-gated"])
def test_norms_written_by_hand_are_replaced_by_equal_ones(name: str) -> None:
    from transformers import AutoModel

    space = space_of(name)
    network = space.initialise(space.build(space.full()), seed=0).eval()
    stock = AutoModel.from_config(config_of(name)).eval()
    norms = [module for module in network.modules() if isinstance(module, nn.RMSNorm)]
    assert len(norms) == sum(hasattr(module, "variance_epsilon") for module in stock.modules()) > 0
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    stock.load_state_dict(network.state_dict())
    batch = space.batch(2, seed=0)
    inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
    with torch.no_grad():
        ours = space.forward(network, batch).features
        torch.testing.assert_close(ours, stock(**inputs).last_hidden_state, rtol=1e-6, atol=1e-6)


def test_t5_reads_what_it_is_to_write_one_place_later() -> None:
    space = space_of("t5-gated")
    original = space.start.original
    tokens = torch.tensor([[7, 8, 9], [4, 5, 6]])
    completed = original.family.modality.completed(original.config, {"input_ids": tokens})
    assert completed["decoder_input_ids"].tolist() == [[0, 7, 8], [0, 4, 5]]
    given = {"input_ids": tokens, "decoder_input_ids": tokens}
    assert original.family.modality.completed(original.config, given) == given


@pytest.mark.parametrize("name", CONTINUOUS)
def test_images_and_sounds_can_be_perturbed(name: str) -> None:
    batch = space_of(name).batch(2, seed=0)
    assert batch.perturbable == tuple(batch.inputs)
    assert ("audio_seconds" in batch.units) == ("conv_dim" in CONFIGS[name])


def test_kinds_of_tokens_are_inputs_where_a_network_has_several() -> None:
    for name in TEXTS:
        has = "token_type_ids" in space_of(name).batch(1, seed=0).inputs
        assert has == (name in ("bert", "electra", "electra-tied", "albert")), name
