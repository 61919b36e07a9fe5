"""Magnitude: the members of largest norm are kept, over all parameters that they tie, each weight counted once."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.pretrained.inheritance import Choice, choose, inherited, member_importance, take
from denas_core.pretrained.layout import Axis, Layout
from tests.core.tiny_transformer import FORMS, Form, TinyTransformer


def test_magnitude_keeps_the_members_of_largest_norm_over_all_tied_parameters() -> None:
    layout = Layout({"up": "ffn hidden", "bias": "ffn", "down": "hidden ffn"})
    source = {
        "up": torch.tensor([[3.0, 0.0], [1.0, 2.0], [0.0, 0.0], [2.0, 2.0]]),
        "bias": torch.tensor([0.0, 1.0, 4.0, 0.0]),
        "down": torch.tensor([[0.0, 2.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]),
    }
    sizes = {"ffn": 4, "hidden": 2}
    importance = member_importance(layout, source, sizes=sizes)
    # Neurons: 9; 1 + 4 + 1 + 4; 16 + 1; 4 + 4 + 1. Channels: 9 + 1 + 4 + 4 + 1 and 4 + 4 + 1.
    assert importance[Axis("ffn")].tolist() == [9, 10, 17, 9]
    assert importance[Axis("hidden")].tolist() == [19, 9]
    target = inherited(
        layout, source, source_sizes=sizes, target_sizes={"ffn": 3, "hidden": 1}, by="magnitude"
    )
    # Neuron 3 is as large as neuron 0, and later.
    assert {name: tensor.tolist() for name, tensor in target.items()} == {
        "up": [[3.0], [1.0], [0.0]],
        "bias": [0.0, 1.0, 4.0],
        "down": [[0.0, 2.0, 0.0]],
    }


def test_blocks_are_kept_by_all_their_parameters_and_in_order() -> None:
    layout = Layout({"block.{layer}.weight": "_ width[layer]", "block.{layer}.bias": "_"})
    source = {"block.0.weight": torch.tensor([[3.0, 0.0]]), "block.0.bias": torch.tensor([0.0])}
    source |= {"block.1.weight": torch.tensor([[2.0, 1.0]]), "block.1.bias": torch.tensor([1.0])}
    source |= {"block.2.weight": torch.tensor([[1.0, 3.0]]), "block.2.bias": torch.tensor([0.0])}
    sizes = {"layer": 3, "width": 2}
    assert member_importance(layout, source, sizes=sizes)[Axis("layer")].tolist() == [9, 6, 10]
    target = inherited(
        layout, source, source_sizes=sizes, target_sizes={"layer": 2, "width": 1}, by="magnitude"
    )
    # Each block has its own widest: the first of block 0, the second of block 2, which is now called 1.
    assert {name: tensor.tolist() for name, tensor in target.items()} == {
        "block.0.weight": [[3.0]],
        "block.0.bias": [0.0],
        "block.1.weight": [[3.0]],
        "block.1.bias": [0.0],
    }


def test_layers_choose_their_own_heads_and_share_what_the_network_shares() -> None:
    form = FORMS["pre-norm"]
    source = TinyTransformer(form).state_dict()
    with torch.no_grad():
        for layer, head in enumerate((3, 0, 2)):
            source[f"layers.{layer}.v"][3 * head : 3 * head + 3] *= 50
    sizes = {"source_sizes": form.sizes, "target_sizes": {**form.sizes, "groups": 1, "hidden": 5, "head": 2}}
    choice = choose(form.layout, source, **sizes, by="magnitude")
    assert [choice.kept[Axis("groups", "layer", layer)] for layer in range(3)] == [(3,), (0,), (2,)]
    assert {axis for axis in choice.kept if axis.name in ("hidden", "head")} == {Axis("hidden"), Axis("head")}


@settings(max_examples=15, deadline=None)
@given(form=st.sampled_from(list(FORMS.values())), seed=st.integers(0, 1000))
def test_importance_is_what_is_lost_without_the_member(form: Form, seed: int) -> None:
    source = TinyTransformer(form, seed=seed).state_dict()

    def total(weights: dict[str, Tensor]) -> float:
        return sum(tensor.square().sum().item() for tensor in weights.values())

    for axis, importance in member_importance(form.layout, source, sizes=form.sizes).items():
        for member, value in enumerate(importance.tolist()):
            others = tuple(i for i in range(form.sizes[axis.name]) if i != member)
            rest = take(form.layout, source, Choice({axis: others}), sizes=form.sizes)
            assert value == pytest.approx(total(source) - total(rest), rel=1e-9)


def test_a_weight_on_the_diagonal_and_a_shared_tensor_count_once() -> None:
    layout = Layout(
        {"square": "hidden hidden", "cube": "hidden hidden hidden", "first": "_ hidden", "second": "_ hidden"}
    )
    shared = torch.tensor([[1.0, 2.0]])
    source = {"square": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "cube": torch.ones(2, 2, 2)}
    source |= {"first": shared, "second": shared}
    importance = member_importance(layout, source, sizes={"hidden": 2})
    # Member 0: 1 + 4 + 9 of the square, all but one of the eight of the cube, and 1; member 1: 4 + 9 + 16, 7, 4.
    assert importance[Axis("hidden")].tolist() == [14 + 7 + 1, 29 + 7 + 4]


def test_a_tensor_that_blocks_share_counts_once_for_each_of_them() -> None:
    layout = Layout({"block.{layer}.w": "hidden ffn[layer]"})
    shared = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    source = {"block.0.w": shared, "block.1.w": shared, "block.2.w": torch.ones(2, 2)}
    importance = member_importance(layout, source, sizes={"layer": 3, "hidden": 2, "ffn": 2})
    assert importance[Axis("layer")].tolist() == [14, 14, 4]
    assert importance[Axis("hidden")].tolist() == [5 + 2, 9 + 2]
    assert (
        importance[Axis("ffn", "layer", 0)].tolist()
        == importance[Axis("ffn", "layer", 1)].tolist()
        == [10, 4]
    )


def test_importance_is_found_once_for_many_networks() -> None:
    form = FORMS["pre-norm"]
    source = TinyTransformer(form).state_dict()
    importance = member_importance(form.layout, source, sizes=form.sizes)
    for ffn in (1, 3, 5):
        sizes = {"source_sizes": form.sizes, "target_sizes": {**form.sizes, "ffn": ffn}}
        again = choose(form.layout, source, **sizes, by="magnitude")
        assert choose(form.layout, source, **sizes, by="magnitude", importance=importance) == again


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_have_no_importance(value: float) -> None:
    layout, sizes = Layout({"w": "ffn"}), {"ffn": 2}
    with pytest.raises(ConfigError, match="parameter 'w' holds weights that are not finite"):
        inherited(
            layout,
            {"w": torch.tensor([1.0, value])},
            source_sizes=sizes,
            target_sizes={"ffn": 1},
            by="magnitude",
        )
