"""Language models: the class of transformers under a head for tokens, and the weights of its own head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core import NextTokenHead, TargetTokenHead
from denas_core.pretrained.silence import silent_transformers
from denas_hf.space import Auto

from .tiny_models import config_of, made, space_of

DECODERS = ("gpt2", "llama", "mistral", "qwen2", "qwen3")
WRITERS = ("t5", "t5-gated", "mt5", "bart", "bart-uneven")
VOCABULARY = 96


def head_of(name: str) -> nn.Module:
    """Return the head that a task puts on networks of a configuration."""
    kind = TargetTokenHead if name in WRITERS else NextTokenHead
    return kind(32, VOCABULARY, bias=False)


def saved_language_model(name: str, folder: Path) -> Any:
    """Return a stock language model with random weights, which is saved into a folder."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    loader: Any = AutoModelForSeq2SeqLM if name in WRITERS else AutoModelForCausalLM
    with silent_transformers(), torch.random.fork_rng():
        torch.manual_seed(3)
        model = loader.from_config(config_of(name)).eval()
        model.save_pretrained(folder)
    return model


def inherited(space: Auto, name: str, values: dict[str, int]) -> nn.Module:
    """Return a language model with the weights of the checkpoint of a space."""
    arch = space.architecture({**space.full().values, **values})
    with torch.device("meta"):
        network = space.build(arch, head=head_of(name))
    return space.load(network, arch, seed=0, weights="inherited").eval()


@pytest.mark.parametrize("name", (*DECODERS, *WRITERS))
def test_the_largest_network_is_the_language_model_of_the_checkpoint(name: str, tmp_path: Path) -> None:
    stock = saved_language_model(name, tmp_path)
    space = made(model=str(tmp_path))
    network = inherited(space, name, {})
    assert type(network) is type(stock)
    batch = space.batch(2, seed=0)
    inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
    with torch.no_grad():
        found = space.forward(network, batch)
        assert torch.equal(found.logits["logits"], stock(**inputs).logits)
    assert found.logits["logits"].shape == (2, 9, VOCABULARY)
    assert torch.equal(found.masks["logits"], batch.masks["features"])


def test_a_narrower_language_model_takes_the_same_features_for_its_layers_and_its_head(
    tmp_path: Path,
) -> None:
    stock = saved_language_model("llama", tmp_path)
    space = made(model=str(tmp_path), inherit="magnitude")
    hidden = 16
    network: Any = inherited(space, "llama", {"hidden": hidden})
    table, head = (model.get_output_embeddings().weight for model in (stock, network))
    kept = [place for place in range(32) if (table[:, place : place + 1] == head).all(0).any()]
    assert len(kept) == hidden
    assert torch.equal(head, table[:, kept])
    assert torch.equal(network.get_input_embeddings().weight, stock.get_input_embeddings().weight[:, kept])


@pytest.mark.parametrize("name", ["bert", "t5", "roberta"])
def test_networks_that_see_the_whole_text_give_no_score_for_each_position(name: str) -> None:
    space = space_of(name)
    with torch.device("meta"):
        network = space.build(space.full(), head=NextTokenHead(32, VOCABULARY, bias=False))
    assert space.forward(network, space.batch(1, seed=0, kind="cost")).logits["logits"].dim() == 2


@pytest.mark.parametrize("name", DECODERS)
def test_a_position_sees_only_what_comes_before(name: str) -> None:
    space = space_of(name)
    arch = space.full()
    with torch.device("meta"):
        network = space.build(arch, head=head_of(name))
    network = space.load(network, arch, seed=0).eval()
    batch = space.batch(1, seed=0)
    changed = batch.inputs["input_ids"].clone()
    changed[:, -1] += 1
    with torch.no_grad():
        first = space.forward(network, batch).logits["logits"]
        batch.inputs["input_ids"].copy_(changed)
        second = space.forward(network, batch).logits["logits"]
    assert torch.equal(first[:, :-1], second[:, :-1]) and not torch.equal(first[:, -1], second[:, -1])
