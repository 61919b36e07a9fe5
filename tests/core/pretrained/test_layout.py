"""The notation of layouts: what it reads, and what it refuses, naming the rule or the parameter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained.layout import Axis, Layout

SIZES = {"hidden": 8, "heads": 4, "head": 2, "ffn": 6, "layer": 3}


@pytest.mark.parametrize(
    ("terms", "shape", "parts", "axes", "groups"),
    [
        ("hidden", (8,), (8,), (Axis("hidden"),), (1,)),
        ("_ hidden", (5, 8), (5, 8), (None, Axis("hidden")), (1, 1)),
        (
            "(heads[layer] head) hidden",
            (8, 8),
            (4, 2, 8),
            (Axis("heads", "layer", 2), Axis("head"), Axis("hidden")),
            (2, 1),
        ),
        ("(3 heads head)", (24,), (3, 4, 2), (None, Axis("heads"), Axis("head")), (3,)),
        ("(heads _)", (20,), (4, 5), (Axis("heads"), None), (2,)),
        ("7", (7,), (7,), (None,), (1,)),
        ("hidden 1 _", (8, 1, 128), (8, 1, 128), (Axis("hidden"), None, None), (1, 1, 1)),
        ("", (), (), (), ()),
    ],
)
def test_a_rule_takes_a_shape_apart(
    terms: str,
    shape: tuple[int, ...],
    parts: tuple[int, ...],
    axes: tuple[Axis | None, ...],
    groups: tuple[int, ...],
) -> None:
    placed = Layout({"layer.{layer}.w": terms}).place("layer.2.w", shape, SIZES)
    assert (placed.shape, placed.axes, placed.groups) == (parts, axes, groups)
    assert placed.stacks == (("layer", (6, 7), 2),)


def test_a_star_stands_for_one_or_more_parts_and_the_first_rule_counts() -> None:
    layout = Layout({"a.*.bias": "_", "*.bias": "hidden", "*": "ffn"})
    names = {
        "a.b.bias": None,
        "a.b.c.bias": None,
        "x.bias": "hidden",
        "a.bias": "hidden",
        "bias": "ffn",
        "q.r": "ffn",
    }
    for name, axis in names.items():
        size = 4 if axis is None else SIZES[axis]
        assert layout.place(name, (size,), SIZES).axes == (axis and Axis(axis),)


def test_dots_and_numbers_in_names_are_taken_literally() -> None:
    layout = Layout({"layer.{layer}.w": "ffn"})
    for name in ("layerx1.w", "layer.1xw", "layer.one.w", "a.layer.1.w", "layer.1.w.b", "layer..w"):
        with pytest.raises(PluginError, match="has no rule"):
            layout.place(name, (6,), SIZES)


def test_axes_are_all_that_need_a_size() -> None:
    layout = Layout({"layer.{layer}.w": "(3 heads[layer] head) hidden", "{stage}.v": "_"})
    assert layout.axes == {"layer", "heads", "head", "hidden", "stage"}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["hidden", "heads", "head", "ffn"]), st.booleans()),
            min_size=1,
            max_size=4,
        ),
        max_size=4,
    )
)
def test_any_product_of_axes_is_read_and_multiplies_to_its_shape(
    dimensions: list[list[tuple[str, bool]]],
) -> None:
    terms = " ".join(
        "(" + " ".join(f"{name}[layer]" if local else name for name, local in factors) + ")"
        for factors in dimensions
    )
    shape = [math.prod(SIZES[name] for name, _ in factors) for factors in dimensions]
    placed = Layout({"{layer}.w": terms}).place("1.w", shape, SIZES)
    assert placed.axes == tuple(
        Axis(name, "layer", 1) if local else Axis(name) for factors in dimensions for name, local in factors
    )
    assert math.prod(placed.shape) == math.prod(shape)


@pytest.mark.parametrize(
    ("name", "terms", "why"),
    [
        ("w", "(heads head", "a parenthesis has no partner"),
        ("w", "heads)", "a parenthesis has no partner"),
        ("w", "((heads) head)", "a parenthesis has no partner"),
        ("w", "()", "a product is empty"),
        ("w", "(_ _)", "has '_' more than once"),
        ("w", "0", "'0' is neither"),
        ("w", "-3", "'-3' is neither"),
        ("w", "heads[]", "is neither an axis"),
        ("w", "heads[layer]", "names a stack that is missing in the name"),
        ("{layer}.w", "heads[layers]", "names a stack that is missing in the name"),
        ("{layer}.{layer}", "_", "a stack is named twice"),
        ("a{layer}.w", "_", r"'a\{layer\}' is not a part of a name"),
        ("a*.w", "_", "is not a part of a name"),
        ("a..w", "_", "'' is not a part of a name"),
        ("", "_", "'' is not a part of a name"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named_at_once(name: str, terms: str, why: str) -> None:
    with pytest.raises(PluginError, match=f"cannot be read: .*{why}"):
        Layout({name: terms})


@settings(deadline=None)
@given(st.text("ab_*{}.[]() 19", max_size=12), st.text("ab_*{}.[]() 19", max_size=12))
def test_any_text_is_a_rule_or_a_plugin_error(name: str, terms: str) -> None:
    try:
        layout = Layout({name: terms})
    except PluginError:
        return
    assert layout.axes is not None


@pytest.mark.parametrize(
    ("terms", "shape", "text"),
    [
        ("hidden", (9,), "parameter 'w.0' has a dimension of 9, which is not hidden 8"),
        ("(heads head)", (9,), "has a dimension of 9, which is not heads 4 x head 2"),
        ("(3 heads _)", (13,), "has a dimension of 13, which is not 3 x heads 4 x _"),
        ("3", (2,), "has a dimension of 2, which is not 3"),
    ],
)
def test_sizes_that_do_not_multiply_name_the_parameter(terms: str, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Layout({"w.{layer}": terms}).place("w.0", shape, SIZES)


def test_a_block_beyond_its_stack_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'w\.3' is in block 3 of 'layer', which has only 3 blocks"):
        Layout({"w.{layer}": "_"}).place("w.3", (1,), SIZES)


@pytest.mark.parametrize("sizes", [{}, {"hidden": 0}, {"hidden": -1}])
def test_an_axis_without_a_size_is_an_error_of_the_plugin(sizes: dict[str, int]) -> None:
    with pytest.raises(PluginError, match="axis 'hidden' of parameter 'w' needs a size of 1 or more"):
        Layout({"w": "hidden"}).place("w", (8,), sizes)


def test_another_number_of_dimensions_is_an_error_of_the_plugin() -> None:
    with pytest.raises(PluginError, match=r"parameter 'w' has 2 dimensions, \[8, 1\], but its rule has 1"):
        Layout({"w": "hidden"}).place("w", (8, 1), SIZES)


def test_the_rule_of_a_parameter_can_be_looked_up() -> None:
    layout = Layout({"layer.{layer}.weight": "ffn[layer] hidden", "*.bias": "hidden"})
    assert layout.pattern_of("layer.7.weight") == "layer.{layer}.weight"
    assert layout.pattern_of("layer.7.bias") == "*.bias"
    assert layout.pattern_of("head.weight") is None
