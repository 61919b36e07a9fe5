"""Weights are inherited member by member: proofs on a transformer that is written out by heads, neurons and layers."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained.inheritance import Choice, choose, inherited, take
from denas_core.pretrained.layout import Axis, Layout
from tests.core.tiny_transformer import FORMS, LABELS, VOCABULARY, Form, TinyTransformer

pytestmark = pytest.mark.numerics

TOKENS = torch.arange(14).reshape(2, 7) % VOCABULARY

forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def loaded(form: Form, weights: dict[str, Tensor]) -> TinyTransformer:
    network = TinyTransformer(form, seed=99)
    network.load_state_dict(weights, strict=True)
    return network


def assert_same(left: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(left, right, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@forms
def test_the_full_size_is_the_network_itself_bit_for_bit(form: Form, by: str) -> None:
    source = TinyTransformer(form).state_dict()
    target = inherited(form.layout, source, source_sizes=form.sizes, target_sizes=form.sizes, by=by)
    assert target.keys() == source.keys()
    assert all(target[name] is source[name] for name in source)


@st.composite
def permuted(draw: st.DrawFn) -> tuple[Form, Choice]:
    form = draw(st.sampled_from(list(FORMS.values())))
    axes = [Axis("hidden"), Axis("head")]
    axes += [Axis(name, "layer", layer) for name in ("groups", "ffn") for layer in range(form.layer)]
    return form, Choice({axis: tuple(draw(st.permutations(range(form.sizes[axis.name])))) for axis in axes})


@settings(max_examples=30, deadline=None)
@given(case=permuted())
def test_a_permutation_of_heads_neurons_and_channels_leaves_outputs_equal(case: tuple[Form, Choice]) -> None:
    form, choice = case
    network = TinyTransformer(form)
    other = loaded(form, take(form.layout, network.state_dict(), choice, sizes=form.sizes))
    assert_same(other(TOKENS), network(TOKENS))


def test_a_permutation_of_layers_is_another_network_and_back_again_the_same() -> None:
    form = FORMS["pre-norm"]
    network = TinyTransformer(form)
    turned = take(form.layout, network.state_dict(), Choice({Axis("layer"): (2, 0, 1)}), sizes=form.sizes)
    assert not torch.allclose(loaded(form, turned)(TOKENS), network(TOKENS))
    back = take(form.layout, turned, Choice({Axis("layer"): (1, 2, 0)}), sizes=form.sizes)
    assert all(torch.equal(back[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("by", ["leading", "magnitude"])
@forms
def test_a_sliced_network_is_the_masked_one(form: Form, by: str) -> None:
    network = TinyTransformer(form)
    small = dataclasses.replace(form, groups=2, ffn=4, layer=2)
    sizes = {"source_sizes": form.sizes, "target_sizes": small.sizes}
    choice = choose(form.layout, network.state_dict(), **sizes, by=by)
    masks = {
        "groups": torch.zeros(form.layer, form.groups),
        "neurons": torch.zeros(form.layer, form.ffn),
        "layers": torch.zeros(form.layer),
    }
    for layer in range(form.layer):
        masks["groups"][layer, list(choice.kept[Axis("groups", "layer", layer)])] = 1
        masks["neurons"][layer, list(choice.kept[Axis("ffn", "layer", layer)])] = 1
    masks["layers"][list(choice.kept[Axis("layer")])] = 1
    sliced = loaded(small, inherited(form.layout, network.state_dict(), **sizes, by=by))
    assert_same(sliced(TOKENS), network(TOKENS, **masks))
    assert not torch.allclose(sliced(TOKENS), network(TOKENS))


@st.composite
def shrunk(draw: st.DrawFn) -> tuple[Form, Form]:
    form = draw(st.sampled_from(list(FORMS.values())))
    return form, dataclasses.replace(
        form, **{name: draw(st.integers(1, size)) for name, size in form.sizes.items()}
    )


@settings(max_examples=40, deadline=None)
@given(case=shrunk(), by=st.sampled_from(["leading", "magnitude"]))
def test_weights_of_any_smaller_size_fit_the_network_of_that_size(case: tuple[Form, Form], by: str) -> None:
    form, small = case
    weights = inherited(
        form.layout,
        TinyTransformer(form).state_dict(),
        source_sizes=form.sizes,
        target_sizes=small.sizes,
        by=by,
    )
    assert loaded(small, weights)(TOKENS).shape == (2, LABELS)
    assert all(tensor.is_contiguous() for tensor in weights.values())


@settings(max_examples=30, deadline=None)
@given(case=shrunk())
def test_leading_takes_the_first_of_everything(case: tuple[Form, Form]) -> None:
    form, small = case
    sizes = {"source_sizes": form.sizes, "target_sizes": small.sizes}
    choice = choose(form.layout, TinyTransformer(form).state_dict(), **sizes, by="leading")
    for axis, kept in choice.kept.items():
        assert kept == tuple(range(small.sizes[axis.name]))


def test_a_fused_projection_is_sliced_in_each_of_its_three_and_by_head() -> None:
    layout = Layout({"weight": "hidden (3 heads head)", "bias": "(3 heads head)"})
    # A column is named by part, head and place within it: 100, 110 ... for queries, 200 ... for keys.
    columns = torch.tensor(
        [100 * part + 10 * head + i for part in (1, 2, 3) for head in (0, 1, 2) for i in (0, 1)]
    )
    source = {"weight": columns.expand(5, 18).float(), "bias": columns.float()}
    sizes = {"hidden": 5, "heads": 3, "head": 2}
    target = inherited(layout, source, source_sizes=sizes, target_sizes={**sizes, "hidden": 4, "heads": 2})
    expected = [100, 101, 110, 111, 200, 201, 210, 211, 300, 301, 310, 311]
    assert target["bias"].tolist() == expected
    assert target["weight"].shape == (4, 12)
    assert target["weight"][3].tolist() == expected
    last = take(layout, source, Choice({Axis("heads"): (2,), Axis("head"): (1,)}), sizes=sizes)
    assert last["bias"].tolist() == [121, 221, 321]


def test_what_is_kept_whole_is_no_copy_and_sources_stay_as_they_are() -> None:
    form = FORMS["pre-norm"]
    source = TinyTransformer(form).state_dict()
    before = {name: tensor.clone() for name, tensor in source.items()}
    sizes = {"source_sizes": form.sizes, "target_sizes": {**form.sizes, "ffn": 3, "layer": 2}}
    target = inherited(form.layout, source, **sizes, by="magnitude")
    assert target["embedding"] is source["embedding"]
    assert all(torch.equal(source[name], tensor) for name, tensor in before.items())


def test_two_stacks_are_chosen_apart() -> None:
    layout = Layout({"encoder.{encoder}.w": "ffn[encoder]", "decoder.{decoder}.w": "ffn[decoder]"})
    source = {
        f"{stack}.{i}.w": torch.tensor([1.0, float(i)]) for stack in ("encoder", "decoder") for i in range(4)
    }
    sizes = {"encoder": 4, "decoder": 4, "ffn": 2}
    target = inherited(
        layout, source, source_sizes=sizes, target_sizes={**sizes, "encoder": 1, "decoder": 2}, by="magnitude"
    )
    assert {name: tensor.tolist() for name, tensor in target.items()} == {
        "encoder.0.w": [1.0, 3.0],
        "decoder.0.w": [1.0, 2.0],
        "decoder.1.w": [1.0, 3.0],
    }


def test_a_stack_within_a_stack_is_renamed_in_both_places() -> None:
    layout = Layout({"stage.{stage}.block.{block}.w": "width[stage]"})
    source = {
        f"stage.{s}.block.{b}.w": torch.tensor([10.0 * s + b, 0.0]) for s in range(12) for b in range(11)
    }
    sizes = {"stage": 12, "block": 11, "width": 2}
    kept = Choice({Axis("stage"): (1, 11), Axis("block"): (0, 10), Axis("width", "stage", 11): (1,)})
    assert {name: tensor.tolist() for name, tensor in take(layout, source, kept, sizes=sizes).items()} == {
        "stage.0.block.0.w": [10.0, 0.0],
        "stage.0.block.1.w": [20.0, 0.0],
        "stage.1.block.0.w": [0.0],
        "stage.1.block.1.w": [0.0],
    }


def test_weights_of_shared_layers_have_no_stack() -> None:
    layout = Layout({"shared.w": "ffn hidden"})
    sizes = {"ffn": 2, "hidden": 2, "layer": 12}
    target = inherited(
        layout, {"shared.w": torch.eye(2)}, source_sizes=sizes, target_sizes={**sizes, "layer": 3}
    )
    assert target["shared.w"].tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("wanted", [7, 0, -1])
def test_a_target_that_is_larger_or_empty_is_refused(wanted: int) -> None:
    form = FORMS["pre-norm"]
    sizes = {"source_sizes": form.sizes, "target_sizes": {**form.sizes, "ffn": wanted}}
    text = rf"{wanted} members of axis 'ffn' cannot be inherited from 6 \(parameter 'layers.0.up'\)"
    with pytest.raises(ConfigError, match=text):
        inherited(form.layout, TinyTransformer(form).state_dict(), **sizes)


def test_a_network_with_more_layers_than_the_checkpoint_is_refused() -> None:
    form = FORMS["pre-norm"]
    sizes = {"source_sizes": form.sizes, "target_sizes": {**form.sizes, "layer": 4}}
    with pytest.raises(ConfigError, match="4 members of axis 'layer' cannot be inherited from 3"):
        inherited(form.layout, TinyTransformer(form).state_dict(), **sizes)


def test_a_stack_with_a_gap_is_refused() -> None:
    layout = Layout({"block.{layer}.w": "_"})
    source = {"block.0.w": torch.ones(1), "block.2.w": torch.ones(1)}
    with pytest.raises(ConfigError, match="no weights of block 1 of 'layer', which should have 3 blocks"):
        inherited(layout, source, source_sizes={"layer": 3}, target_sizes={"layer": 2})


def test_a_size_of_an_axis_that_is_not_there_is_refused() -> None:
    sizes = {"source_sizes": {"ffn": 2}, "target_sizes": {"fnn": 1}}
    with pytest.raises(
        PluginError,
        match="the sizes of the smaller network name the axis 'fnn', those of the larger network do not",
    ):
        inherited(Layout({"w": "ffn"}), {"w": torch.ones(2)}, **sizes)


def test_a_parameter_without_a_rule_is_named() -> None:
    with pytest.raises(PluginError, match=r"no rule for parameter 'w', of shape \[2\]"):
        inherited(Layout({"v": "_"}), {"w": torch.ones(2)}, source_sizes={}, target_sizes={})


def test_a_star_never_hides_that_a_parameter_belongs_to_a_block() -> None:
    source = {"layer.0.w": torch.ones(2), "layer.1.w": torch.ones(2), "layer.1.norm": torch.ones(2)}
    sizes = {"source_sizes": {"layer": 2}, "target_sizes": {"layer": 1}}
    with pytest.raises(
        PluginError, match=r"'layer\.1\.norm' is in a block of 'layer', but its rule has '\*'"
    ):
        inherited(Layout({"layer.{layer}.w": "_", "*.norm": "_"}), source, **sizes)
    # Said outright, one block may have what the others have not, as the first of T5's holds the positions of all.
    layout = Layout({"layer.{layer}.w": "_", "layer.1.norm": "_"})
    assert inherited(layout, source, **sizes).keys() == {"layer.0.w", "layer.1.norm"}
    # Numbers elsewhere are not blocks.
    other = {"layer.0.w": torch.ones(2), "conv.0.w": torch.ones(1)}
    assert inherited(
        Layout({"layer.{layer}.w": "_", "*": "_"}), other, source_sizes={"layer": 1}, target_sizes={}
    )
