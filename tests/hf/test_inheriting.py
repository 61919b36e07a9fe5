"""What networks take of a checkpoint, proven on every family: whole heads, neurons and layers, wherever they lie."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.pretrained.inheritance import Choice, choose, take
from denas_core.pretrained.layout import Axis

from .inherited import (
    features_of,
    full_features,
    inheriting_network,
    network_of,
    reordered,
    silenced,
    sizes_of,
    source_of,
)
from .tiny_models import CONFIGS, checkpoint, inheriting_space

HEADS = ("heads", "groups", "encoder_heads", "decoder_heads")
FREE_HEADS = ("llama", "mistral", "qwen2", "qwen3", "t5", "t5-gated")
"""Networks in which the number of heads does not change the hidden width."""

UNSTACKED = ("albert",)
"""Networks whose layers are one layer, over and over."""


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_full_network_is_a_member_and_gives_the_outputs_of_the_checkpoint_bit_for_bit(
    name: str, by: str
) -> None:
    from transformers import AutoModel

    space = inheriting_space(name, inherit=by)
    stock = AutoModel.from_pretrained(checkpoint(name)).eval()
    network = inheriting_network(space, {})
    assert type(network) is type(stock)
    ignored = ("transformers_version", "dtype", "architectures", "_name_or_path", "n_inner")
    ours, theirs = network.config.to_dict(), stock.config.to_dict()
    assert {k: v for k, v in ours.items() if k not in ignored} == {
        k: v for k, v in theirs.items() if k not in ignored
    }
    batch = space.batch(2, seed=0)
    inputs = space.start.original.family.modality.completed(stock.config, batch.inputs)
    with torch.no_grad():
        expected = stock(**inputs).last_hidden_state
        assert torch.equal(space.forward(network.eval(), batch).features, expected)


@pytest.mark.parametrize("axes", [HEADS, ("ffn",)], ids=["heads", "neurons"])
@pytest.mark.parametrize("name", CONFIGS)
def test_another_order_of_heads_or_neurons_changes_no_output(name: str, axes: tuple[str, ...]) -> None:
    space = inheriting_space(name)
    permuted = reordered(space, lambda axis: axis.name in axes)
    changed = [key for key, tensor in permuted.items() if not torch.equal(tensor, source_of(space)[key])]
    assert len(changed) >= 3
    ours = features_of(space, network_of(space, {}, permuted))
    torch.testing.assert_close(ours, full_features(space), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_another_order_of_features_comes_out_in_that_order(name: str) -> None:
    space = inheriting_space(name)
    axis = Axis("hidden") if space.start.original.blocks == 1 else Axis("block")
    order = torch.randperm(sizes_of(space)[axis.name], generator=torch.Generator().manual_seed(0))
    permuted = take(
        space.start.original.layout,
        source_of(space),
        Choice({axis: tuple(order.tolist())}),
        sizes=sizes_of(space),
    )
    ours = features_of(space, network_of(space, {}, permuted))
    expected = full_features(space).unflatten(-1, (-1, len(order)))[..., order].flatten(-2)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@pytest.mark.parametrize("name", CONFIGS)
def test_fewer_neurons_are_those_of_a_network_whose_others_are_silent(name: str, by: Any) -> None:
    space = inheriting_space(name, inherit=by)
    masked = silenced(space, {"ffn": 40}, ("ffn",), kind="ffn.out", by=by)
    expected = features_of(space, network_of(space, {}, masked))
    ours = features_of(space, inheriting_network(space, {"intermediate": 40}))
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@pytest.mark.parametrize("name", FREE_HEADS)
def test_fewer_heads_are_those_of_a_network_whose_others_are_silent(name: str, by: Any) -> None:
    space = inheriting_space(name, inherit=by)
    groups = 2 // space.start.original.share
    wanted = dict.fromkeys(HEADS, 2) | {"groups": groups}
    masked = silenced(space, wanted, HEADS, kind="attention.out", by=by)
    expected = features_of(space, network_of(space, {}, masked))
    ours = features_of(space, inheriting_network(space, {"heads": 2}))
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in UNSTACKED])
def test_fewer_layers_are_those_of_a_network_without_the_others(name: str, by: Any) -> None:
    space = inheriting_space(name, inherit=by)
    original = space.start.original
    depths = original.depths_of(dataclasses.replace(original.dimensions, layers=2))
    sizes = sizes_of(space)
    choice = choose(
        original.layout, source_of(space), source_sizes=sizes, target_sizes={**sizes, **depths}, by=by
    )
    network = inheriting_network(space, {})
    for stack in depths:
        prefix = next(p.partition(f".{{{stack}}}")[0] for p in original.family.weights if f"{{{stack}}}" in p)
        blocks = network.get_submodule(prefix)
        kept = choice.kept[Axis(stack)]
        if 0 not in kept and "t5" in name:
            _quiet(blocks[0])  # type: ignore[index]
            kept = (0, *kept)
        parent, _, last = prefix.rpartition(".")
        setattr(network.get_submodule(parent), last, nn.ModuleList(blocks[i] for i in kept))  # type: ignore[index]
    ours = features_of(space, inheriting_network(space, {"layers": 2}))
    torch.testing.assert_close(ours, features_of(space, network), rtol=1e-5, atol=1e-6)


def _quiet(block: nn.Module) -> None:
    """Let nothing out of a block of T5, whose first has the relative positions of all."""
    for name, parameter in block.named_parameters():
        if name.endswith((".o.weight", ".wo.weight")):
            nn.init.zeros_(parameter)
