"""Networks as stock transformers: what save_pretrained writes, from_pretrained reads, with equal outputs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn

from denas_core.networks.heads import PositionHead
from denas_hf.network import HeadedNetwork

from .tiny_models import CONFIGS, inheriting_space


@pytest.mark.parametrize(
    ("name", "head_width"), [*((name, "kept") for name in CONFIGS), ("bert", "free"), ("wav2vec2", "free")]
)
def test_a_smaller_network_is_loaded_by_transformers_alone(
    name: str, head_width: str, tmp_path: Path
) -> None:
    space = inheriting_space(name, head_width=head_width)
    arch = space.sample(random.Random(3))
    network = space.load(space.build(arch), arch, seed=0, weights="inherited").eval()
    network.save_pretrained(tmp_path)
    stock = transformers.AutoModel.from_pretrained(tmp_path).eval()
    assert type(stock) is type(network)
    assert type(stock).__module__.startswith("transformers.")
    batch = space.batch(2, seed=0)
    inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
    with torch.no_grad():
        features, expected = space.forward(network, batch).features, stock(**inputs).last_hidden_state
    torch.testing.assert_close(features, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_network_with_a_head_is_loaded_by_transformers_alone(name: str, tmp_path: Path) -> None:
    space = inheriting_space(name)
    arch = space.sample(random.Random(4))
    heads = [
        (nn.Linear(8, 3), space.start.original.family.modality.classifier),
        (PositionHead(8, 2), "AutoModelForQuestionAnswering"),
    ]
    for head, loader in heads:
        network = space.load(space.build(arch, head=head), arch, seed=0, weights="inherited").eval()
        if isinstance(network, HeadedNetwork):
            continue
        network.save_pretrained(tmp_path)
        stock = getattr(transformers, loader).from_pretrained(tmp_path).eval()
        assert type(stock) is type(network)
        batch = space.batch(2, seed=0)
        inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
        with torch.no_grad():
            logits, outputs = space.forward(network, batch).logits["logits"], stock(**inputs)
        expected = (
            outputs.logits
            if isinstance(head, nn.Linear) and not isinstance(head, PositionHead)
            else torch.stack([outputs.start_logits, outputs.end_logits], -1)
        )
        torch.testing.assert_close(logits, expected, rtol=1e-6, atol=1e-6)


def test_labels_of_the_checkpoint_stay_where_their_number_does() -> None:
    space = inheriting_space("bert")
    names = {0: "bad", 1: "good"}
    space.start.original.config.id2label = names
    try:
        two = space.build(space.full(), head=nn.Linear(32, 2))
        three = space.build(space.full(), head=nn.Linear(32, 3))
    finally:
        space.start.original.config.num_labels = 2
    assert two.config.id2label == names
    assert three.config.num_labels == len(three.config.id2label) == 3


def test_decoders_without_padding_are_given_one_that_a_classifier_can_look_for() -> None:
    space = inheriting_space("gpt2")
    assert space.build(space.full()).config.pad_token_id is None
    assert space.build(space.full(), head=nn.Linear(32, 2)).config.pad_token_id == 2
