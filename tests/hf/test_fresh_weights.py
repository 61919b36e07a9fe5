"""Fresh weights: those that transformers begins with, from a seed, wherever a network was built."""

from __future__ import annotations

import statistics

import pytest
import torch
from torch import nn
from transformers import AutoModel

from .tiny_models import CONFIGS, config_of, space_of


@pytest.mark.parametrize("name", CONFIGS)
def test_every_parameter_is_drawn_as_transformers_does(name: str) -> None:
    space = space_of(name)
    stock = AutoModel.from_config(config_of(name))
    with torch.device("meta"):
        network = space.build(space.full())
    ours = dict(space.initialise(network, seed=0).named_parameters())
    for key, parameter in stock.named_parameters():
        assert ours[key].shape == parameter.shape
        if parameter.numel() == 1 or "original0" in key:
            continue
        expected, found = float(parameter.detach().std()), float(ours[key].detach().std())
        if expected == 0:
            assert torch.equal(ours[key], parameter), key
        else:
            # A vector of 16 numbers has a spread of its own.
            tolerance = 0.25 if parameter.numel() > 256 else 0.8
            assert found == pytest.approx(expected, rel=tolerance), key


@pytest.mark.parametrize("name", CONFIGS)
def test_weights_and_buffers_are_the_same_for_a_seed_on_any_device(name: str) -> None:
    space = space_of(name)
    with torch.device("meta"):
        on_meta = space.build(space.smallest())
    first = space.initialise(on_meta, seed=3)
    state = torch.get_rng_state()
    torch.manual_seed(99)
    again = space.initialise(space.build(space.smallest()), seed=3)
    torch.set_rng_state(state)
    tensors = dict((*again.named_parameters(), *again.named_buffers()))
    for key, tensor in (*first.named_parameters(), *first.named_buffers()):
        assert torch.equal(tensor, tensors[key]), key
    assert space.initialise(first, seed=3) is not None
    for key, tensor in (*first.named_parameters(), *first.named_buffers()):
        assert torch.equal(tensor, tensors[key]), key


@pytest.mark.parametrize("name", ["t5", "t5-gated"])
def test_tied_embeddings_stay_tied(name: str) -> None:
    space = space_of(name)
    with torch.device("meta"):
        network = space.build(space.full())
    network = space.initialise(network, seed=0)
    assert network.encoder.embed_tokens.weight is network.shared.weight
    assert network.decoder.embed_tokens.weight is network.shared.weight


def test_a_head_of_its_own_is_drawn_from_the_seed_too() -> None:
    space = space_of("clip")

    def head(seed: int) -> torch.Tensor:
        with torch.device("meta"):
            network = space.build(space.full(), head=nn.Linear(32, 3))
        return space.initialise(network, seed=seed).get_parameter("head.weight")

    assert torch.equal(head(0), head(0)) and not torch.equal(head(0), head(1))


def test_the_length_of_positional_kernels_follows_from_what_is_drawn() -> None:
    space = space_of("wav2vec2")
    with torch.device("meta"):
        network = space.build(space.full())
    kernel = space.initialise(network, seed=0).encoder.pos_conv_embed.conv
    lengths = kernel.weight.square().sum((0, 1)).sqrt()
    torch.testing.assert_close(kernel.parametrizations.weight.original0.flatten(), lengths)
    assert statistics.fmean(lengths.tolist()) > 0


def test_drawing_leaves_no_marks_and_no_generator_changed() -> None:
    space = space_of("bert")
    state = torch.get_rng_state()
    network = space.initialise(space.build(space.full()), seed=0)
    assert torch.equal(state, torch.get_rng_state())
    assert not any(hasattr(module, "_is_hf_initialized") for module in network.modules())
