"""Whole recognisers of both spaces: padding, heads, precision, export, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import denas_asr
from denas_asr.conformer.space import Conformer
from denas_asr.network.space import SpeechSpace
from denas_asr.transformer.space import Transformer
from denas_core import TrainedModel, save_model
from denas_core.models.deployable import DeployableNetwork, traced
from denas_core.networks.heads import PositionHead
from denas_core.values.batch import Batch
from tests.asr.tiny_spaces import SIZES

SPACES = [Transformer, Conformer]
IDS = ["transformer", "conformer"]


def make(kind: type[SpeechSpace], **options: Any) -> SpeechSpace:
    return kind(**{**SIZES, **options}).named("asr/tiny")


def loaded(space: SpeechSpace, **building: Any) -> nn.Module:
    arch = space.full()
    with torch.device("meta"):
        model = space.build(arch, **building)
    return space.load(model, arch, seed=3).eval()


def padded(space: SpeechSpace, frames: int, symbols: int) -> tuple[Batch, list[Batch]]:
    """Return two samples of different lengths as one batch, with junk where they end, and each alone."""
    lengths = {"features": torch.tensor([frames, 9]), "tokens": torch.tensor([symbols, 2])}
    noise = space.batch(2, seed=0).inputs
    features, tokens = noise["features"][:, :frames], noise["tokens"].repeat(1, 4)[:, :symbols]
    alone = []
    for sample in range(2):
        cut = {
            "features": features[sample : sample + 1, : lengths["features"][sample]].clone(),
            "tokens": tokens[sample : sample + 1, : lengths["tokens"][sample]].clone(),
        }
        alone.append(Batch(inputs=cut))
    features[1, 9:] = 50.0
    tokens[1, 2:] = 5
    return Batch(inputs={"features": features, "tokens": tokens}, lengths=lengths), alone


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@pytest.mark.parametrize("frames", [10, 21, 23])
@torch.no_grad()
def test_padding_changes_no_output_that_counts(kind: type[SpeechSpace], frames: int) -> None:
    space = make(kind)
    model = loaded(space).double()
    batch, alone = padded(space, frames, 5)
    batch = batch.to(dtype=torch.float64)
    outputs = space.forward(model, batch)
    for sample, single in enumerate(alone):
        expected = space.forward(model, single.to(dtype=torch.float64))
        for name, tensor in {"features": outputs.features, **outputs.logits}.items():
            whole = expected.features if name == "features" else expected.logits[name]
            counted = tensor[sample][outputs.masks[name][sample]]
            assert counted.shape == whole[0].shape, name
            assert torch.allclose(counted, whole[0], atol=1e-10), name


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
def test_padding_changes_no_gradient(kind: type[SpeechSpace]) -> None:
    space = make(kind, dropout=0.0)
    gradients = []
    for extra in (0, 9):
        model = loaded(space).double().train()
        batch, _ = padded(space, 14, 4)
        inputs = {
            "features": nn.functional.pad(batch.inputs["features"].double(), (0, 0, 0, extra), value=7.0),
            "tokens": nn.functional.pad(batch.inputs["tokens"], (0, extra), value=6),
        }
        outputs = space.forward(model, Batch(inputs=inputs, lengths=batch.lengths))
        total = torch.zeros((), dtype=torch.float64)
        for name, tensor in outputs.logits.items():
            total = total + tensor[outputs.masks[name]].square().sum()
        total.backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient.any(), name
        assert torch.allclose(gradient, gradients[1][name], rtol=1e-8, atol=1e-8), name


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_what_decoders_of_text_call_gives_the_same_logits(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    model = loaded(space)
    batch, _ = padded(space, 20, 4)
    encoded, lengths = model.encode(batch.inputs["features"], batch.lengths["features"])
    assert lengths.tolist() == [5, 3]
    outputs = space.forward(model, batch)
    assert torch.equal(model.ctc(encoded), outputs.logits["ctc"])
    assert torch.equal(model.decode(batch.inputs["tokens"], encoded, lengths), outputs.logits["attention"])
    # Step by step, the logits of a symbol do not depend on what comes after it.
    first = model.decode(batch.inputs["tokens"][:, :2], encoded, lengths)
    assert torch.allclose(first, outputs.logits["attention"][:, :2], atol=1e-5)


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
def test_a_head_for_positions_sets_the_number_of_symbols(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    model = loaded(space, head=PositionHead(16, 4))
    assert model.decoder.embedding.num_embeddings == 4
    # Batches of the space fit a network of fewer symbols, as exports of a trained one need.
    for batch in (space.batch(2, seed=0), space.batch(2, seed=0, kind="ones")):
        outputs = space.forward(model, batch)
        assert {name: t.shape[-1] for name, t in outputs.logits.items()} == {"ctc": 4, "attention": 4}


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_any_other_head_takes_the_encoded_frames(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    batch, _ = padded(space, 20, 4)
    plain = space.forward(loaded(space, head=nn.Identity()), batch)
    assert torch.equal(plain.logits["logits"], plain.features)
    assert plain.masks["logits"].sum(1).tolist() == [5, 3]
    model = loaded(space, head=nn.Linear(16, 4))
    outputs = space.forward(model, batch)
    assert torch.equal(outputs.logits["logits"], model.head(outputs.features))
    assert space.views(model)[-1].parameter == "head.weight"


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_an_exported_program_takes_any_number_of_utterances(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    module = DeployableNetwork(space, loaded(space))
    module.training = False
    assert module.input_names == ("features", "tokens") and module.output_names == ("ctc", "attention")
    inputs = tuple(space.batch(5, seed=1).inputs.values())
    for found, expected in zip(traced(module).module()(*inputs), module(*inputs), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)
    for found, expected in zip(module.network(*inputs), module(*inputs), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_it_works_in_float64_and_under_autocast(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    model = loaded(space)
    batch, _ = padded(space, 20, 4)
    single = space.forward(model, batch).logits
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for name, tensor in space.forward(model, batch).logits.items():
            assert torch.allclose(tensor.float(), single[name], atol=0.1), name
    double = space.forward(model.double(), batch.to(dtype=torch.float64)).logits
    for name, tensor in double.items():
        assert tensor.dtype == torch.float64 and torch.allclose(tensor.float(), single[name], atol=1e-4)


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_the_plain_variant_adds_nothing_to_what_goes_through(kind: type[SpeechSpace]) -> None:
    """Where the last layer of every branch is zero, so is what comes out of the blocks."""
    space = make(kind)
    model = loaded(space, variant="plain")
    assert model.front_end.shortcut is None
    last = model.encoder.blocks[-1]
    branch = last.feed_forward if hasattr(last, "feed_forward") else last.feed_forward2
    for parameter in branch.fc2.parameters():
        parameter.zero_()
    x = torch.ones(1, 3, model.encoder.projection.out_features)
    assert not last(x, None).any()


def test_fresh_weights_are_those_of_the_original() -> None:
    """Xavier-normal matrices, a fused projection counted as one; biases of attention 0."""
    space = make(Transformer, embed_dims=[96], vocabulary=300, decoder_hidden=200)
    model = loaded(space)

    def spread(weight: Tensor, rows: int, columns: int) -> None:
        assert weight.std().item() == pytest.approx((2 / (rows + columns)) ** 0.5, rel=0.05)

    block = model.decoder.blocks[0]
    spread(model.encoder.blocks[0].attention.qkv.weight, 288, 96)
    spread(block.cross_attention.q.weight, 288, 96)
    spread(block.cross_attention.kv.weight, 288, 96)
    spread(block.cross_attention.out.weight, 96, 96)
    spread(block.feed_forward.fc1.weight, 200, 96)
    spread(model.decoder.embedding.weight, 300, 96)
    spread(model.ctc_head.weight, 300, 96)
    for attention in (model.encoder.blocks[0].attention, block.attention, block.cross_attention):
        assert not any(p.any() for name, p in attention.named_parameters() if name.endswith("bias"))
    assert 0 < block.feed_forward.fc1.bias.abs().max() <= 96**-0.5
    assert torch.equal(block.attention_norm.weight, torch.ones(96))


def test_dropout_is_for_training_alone() -> None:
    space = make(Transformer, dropout=0.5)
    model = loaded(space)
    inputs = tuple(space.batch(1, seed=0).inputs.values())
    with torch.no_grad():
        assert torch.equal(model(*inputs)[0], model(*inputs)[0])
        model.train()
        assert not torch.equal(model(*inputs)[0], model(*inputs)[0])


def test_weights_can_be_replaced_from_outside() -> None:
    space = make(Transformer)
    model = loaded(space)
    batch = space.batch(2, seed=0)
    weights = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    assert not functional_call(model, weights, tuple(batch.inputs.values()))[0].any()


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_an_exported_program_may_take_speech_and_text_of_any_length(kind: type[SpeechSpace]) -> None:
    space = make(kind)
    model = loaded(space)
    inputs = tuple(space.batch(3, seed=0).inputs.values())
    batch = torch.export.Dim("batch")
    sizes = (
        {0: batch, 1: torch.export.Dim("frames", min=8)},
        {0: batch, 1: torch.export.Dim("symbols", min=2)},
    )
    program = torch.export.export(model, inputs, dynamic_shapes=sizes, strict=False)
    longer = (torch.ones(2, 57, SIZES["mels"]), torch.full((2, 9), 4))
    for found, expected in zip(program.module()(*longer), model(*longer), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", SPACES, ids=IDS)
@torch.no_grad()
def test_a_saved_recogniser_is_loaded_in_one_line(kind: type[SpeechSpace], tmp_path: Path) -> None:
    space = make(kind).named(f"asr/{kind.__name__.lower()}")
    arch = space.full()
    network = space.load(space.build(arch), arch, seed=0).eval()
    save_model(tmp_path, TrainedModel(space=space, arch=arch, network=network, facts={"vocabulary": ["a"]}))
    found = denas_asr.load(tmp_path)
    inputs = tuple(space.batch(2, seed=0).inputs.values())
    for loaded_logits, logits in zip(found(*inputs), network(*inputs), strict=True):
        assert torch.equal(loaded_logits, logits)
