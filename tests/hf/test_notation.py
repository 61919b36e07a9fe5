"""Architectures as the original DE-NAS writes them: keys of a configuration in JSON."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from denas_core.errors import ConfigError
from denas_hf.space import Auto

from .tiny_models import CONFIGS, inheriting_space, space_of

BASE = Auto(config={"model_type": "bert", "vocab_size": 30522}, head_width="free").named("hf/auto")
KEPT = Auto(config={"model_type": "bert", "vocab_size": 30522}).named("hf/auto")


def test_keys_of_the_original_are_read() -> None:
    arch = BASE.parse('{"num_hidden_layers": 8, "num_attention_heads": 10, "hidden_size": 620}')
    sizes = BASE.dimensions(arch)
    assert (sizes.layers, sizes.heads, sizes.hidden, sizes.intermediate) == (8, 10, 620, 3072)
    # The first choice that ten heads share as 620.
    assert arch["hidden"] == 624


def test_a_size_that_is_not_named_is_that_of_the_checkpoint() -> None:
    assert KEPT.parse('{"num_hidden_layers": 6}').as_dict() == {
        "layers": 6,
        "heads": 12,
        "intermediate": 3072,
    }


def test_a_choice_of_the_hidden_width_is_read_before_it_is_rounded() -> None:
    arch = BASE.parse('{"num_attention_heads": 10, "hidden_size": 624}')
    assert BASE.dimensions(arch).hidden == 620


@pytest.mark.parametrize("head_width", ["kept", "free"])
@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_written_is_read_back(name: str, head_width: str) -> None:
    for space in (space_of(name, head_width=head_width), inheriting_space(name, head_width=head_width)):
        rng = random.Random(0)
        for arch in (space.full(), space.smallest(), *(space.sample(rng) for _ in range(4))):
            text = space.format(arch)
            assert space.parse(text).key == arch.key
            assert space.parse(json.dumps({"arch": arch.as_dict()})).key == arch.key
            assert set(json.loads(text)) == {
                "num_hidden_layers",
                "num_attention_heads",
                "hidden_size",
                "intermediate_size",
            }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("distilbert", '{"n_layers": 2, "n_heads": 3, "dim": 24, "hidden_dim": 40}'),
        ("gpt2", '{"n_layer": 2, "n_head": 3, "n_embd": 24, "n_inner": 40}'),
        ("t5", '{"num_layers": 2, "num_heads": 3, "d_model": 32, "d_ff": 40}'),
    ],
)
def test_a_family_has_names_of_its_own(name: str, text: str) -> None:
    space = space_of(name)
    sizes = space.dimensions(space.parse(text))
    assert [sizes.layers, sizes.heads, sizes.hidden, sizes.intermediate] == list(json.loads(text).values())
    assert space.parse(space.format(space.parse(text))).key == space.parse(text).key


@pytest.mark.parametrize(
    ("space", "given", "text"),
    [
        (KEPT, {"num_hidden_layer": 6, "hidden_size": 768}, "did you mean 'num_hidden_layers'?"),
        (KEPT, {"num_hidden_layers": 6, "vocab_size": 9}, "'vocab_size' is not a size of an architecture"),
        (KEPT, {"num_attention_heads": 10, "hidden_size": 620}, "is not 10 heads of 64 features"),
        (KEPT, {"num_attention_heads": 10, "hidden_size": 620}, "make it 640, or set head_width=free"),
        (KEPT, {"num_attention_heads": 13}, "knob 'heads' of 'hf/auto' cannot be 13"),
        (KEPT, {"num_hidden_layers": "6"}, "knob 'layers' of 'hf/auto' cannot be '6'"),
        (KEPT, {"num_hidden_layers": True}, "cannot be True"),
        (BASE, {"hidden_size": 100}, "knob 'hidden' of 'hf/auto' cannot be 100"),
        (BASE, {"hidden_size": None}, "cannot be None"),
        (BASE, {"num_attention_heads": [3], "hidden_size": 384}, "cannot be [3]"),
        (BASE, {"layers": 6, "num_attention_heads": 12}, "'layers' is not a size of an architecture"),
    ],
)
def test_what_cannot_be_read_is_told(space: Auto, given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as found:
        space.parse(json.dumps(given), origin="a test")
    assert text in str(found.value) and "(a test)" in str(found.value)


def test_heads_that_there_are_no_weights_for_are_told() -> None:
    space = inheriting_space("bert", head_width="free")
    with pytest.raises(
        ConfigError, match=r"makes 2 heads of 16 features \(a test\), but there are weights for 8"
    ):
        space.parse('{"num_attention_heads": 2, "hidden_size": 32}', origin="a test")


def test_a_size_named_twice_must_be_the_same() -> None:
    space = space_of("gpt2")
    assert space.parse('{"n_layer": 2, "num_hidden_layers": 2}')["layers"] == 2
    with pytest.raises(ConfigError, match="gives two different values for the layers"):
        space.parse('{"n_layer": 2, "num_hidden_layers": 3}')


@example({"num_attention_heads": 6.0})
@given(
    st.dictionaries(
        st.sampled_from(
            ["num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size", "x"]
        ),
        st.none()
        | st.booleans()
        | st.integers(-5, 4000)
        | st.floats()
        | st.text(max_size=3)
        | st.lists(st.none()),
    )
)
def test_anything_else_is_one_error_or_an_architecture(document: dict[str, Any]) -> None:
    for space in (KEPT, BASE):
        try:
            arch = space.parse(json.dumps(document))
        except ConfigError as error:
            assert "\n" not in str(error)
        else:
            assert space.parse(space.format(arch)).key == arch.key
