"""Hand-designed networks, with which a search is compared, are as large as wanted and have the shape of their book."""

from __future__ import annotations

import random
from typing import Any

import pytest

from benchmarks.architectures.convolutional import resnet
from benchmarks.architectures.hand_designed import TOLERANCE, hand_designed
from denas_core import Architecture, SearchSpace
from denas_core.registry.registry import Registry

MINILM = {
    "model_type": "bert",
    "vocab_size": 500,
    "hidden_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 192,
}

DEIT = {"mlp_ratio": 4.0, "heads": 3}


def make(name: str, **options: Any) -> SearchSpace:
    space: SearchSpace = Registry.discover().create("space", name, options)
    return space


def as_large_as(space: SearchSpace, arch: Architecture) -> tuple[SearchSpace, Architecture]:
    """Return the network by hand for the size of `arch`, after comparing their sizes."""
    cost = space.cost(arch)
    other, found = hand_designed(space, params=cost["params"], flops=cost["flops"])
    for name in ("params", "flops"):
        assert other.cost(found)[name] == pytest.approx(cost[name], rel=TOLERANCE)
    assert other.id == space.id
    return other, found


def test_residual_networks_are_those_of_he_et_al() -> None:
    space = make("cv/cnn")
    # ResNet-20 has 0.27 M parameters and 41 M multiplications (table 6 there; option A has no projections).
    cost = space.cost(resnet(space, (3, 3, 3), 1, 2.0, 16))
    assert cost["params"] == pytest.approx(0.27e6, rel=0.02)
    assert cost["flops"] == pytest.approx(2 * 41e6, rel=0.02)


@pytest.mark.parametrize("name", ["cv/cnn", pytest.param("cv/cnn:micro", marks=pytest.mark.nightly)])
def test_a_residual_network_is_read_by_the_space_itself(name: str) -> None:
    space = make(name)
    other, found = as_large_as(space, space.sample(random.Random(1)))
    assert other is space
    assert space.format(found).startswith("SuperConvK3BNRELU(")
    assert space.format(found).count("SuperResK3K3") in (3, 4)


def test_a_network_of_the_book_in_the_space_is_found_again() -> None:
    space = make("cv/vit:micro", depths=[4], embed_dims=[96])
    values = {f"layer{layer}.{knob}": value for layer in range(1, 5) for knob, value in DEIT.items()}
    arch = space.architecture({"depth": 4, "embed_dim": 96, **values})
    other, found = as_large_as(space, arch)
    assert other is space and found == arch


@pytest.mark.parametrize("name", ["nlp/bert:micro", "nlp/bert:denas"])
def test_text_encoders_keep_the_ratio_of_bert_where_they_can(name: str) -> None:
    space: Any = make(name)
    # Six layers, as DistilBERT has.
    middle = {knob.name: knob.values[len(knob.values) // 2] for knob in space.knobs()}
    width = middle.get("hidden", middle["heads"] * space.original.head_width)
    arch = space.architecture({**middle, "layers": 6, "intermediate": 4 * width // 32 * 32})
    other, found = as_large_as(space, arch)
    sizes = other.dimensions(found)  # type: ignore[attr-defined]
    assert sizes.intermediate == 4 * sizes.hidden


@pytest.mark.nightly
def test_the_first_layers_of_a_checkpoint_are_found_again() -> None:
    space = make("hf/auto", config=MINILM, seq_len=32)
    arch = space.architecture({"layers": 3, "heads": 2, "intermediate": 192})
    other, found = as_large_as(space, arch)
    assert found == other.architecture(arch.as_dict()) and other is space
    # Fewer heads and neurons need another width of the feed-forward layers.
    as_large_as(space, space.sample(random.Random(2)))


def test_recognisers_have_equal_blocks_of_the_middle_choices() -> None:
    small = {"seconds": 1.0, "depths": [4, 6], "embed_dims": [64, 96, 128]}
    space: Any = make("asr/transformer:micro", **small)
    _, found = as_large_as(space, space.sample(random.Random(1)))
    values = {knob: value for knob, value in found.values.items() if knob.startswith("layer")}
    assert len({value for knob, value in values.items() if knob.endswith("mlp_ratio")}) == 1
    assert {value for knob, value in values.items() if knob.endswith("heads")} == {2}


def test_what_no_book_has_is_refused_in_one_line() -> None:
    message = (
        r"no network by hand of 'nlp/bert' has 3e\+05 parameters and 10 FLOPs within 10 %; the nearest has"
    )
    with pytest.raises(ValueError, match=message):
        hand_designed(make("nlp/bert:micro"), params=3e5, flops=10)
    with pytest.raises(
        ValueError, match="no networks were designed by hand for 'bench/nasbench201'; known are cv/cnn"
    ):
        hand_designed(make("bench/nasbench201"), params=3e5, flops=1e7)
