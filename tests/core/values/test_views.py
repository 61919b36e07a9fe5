from __future__ import annotations

import pytest
import torch
from torch import nn

from denas_core.values.views import WeightView, views_by_module


def kinds(model: nn.Module) -> list[tuple[str, str]]:
    return [(view.parameter, view.kind) for view in views_by_module(model)]


class Small(nn.Module):
    """An embedding, attention, a convolution and two linear layers."""

    def __init__(self, **attention: int) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.attention = nn.MultiheadAttention(6, 2, **attention)
        self.attention_norm = nn.LayerNorm(6)
        self.body = nn.Sequential(nn.Conv1d(6, 6, 3), nn.BatchNorm1d(6), nn.Linear(6, 12))
        self.head = nn.Linear(12, 3)


REST = [("body.0.weight", "conv"), ("body.2.weight", "ffn"), ("head.weight", "head")]


def test_roles_follow_the_types_of_layers_with_fused_projections_cut_in_rows() -> None:
    model = Small()
    assert kinds(model) == [
        ("words.weight", "embed"),
        ("attention.in_proj_weight", "attention.q"),
        ("attention.in_proj_weight", "attention.k"),
        ("attention.in_proj_weight", "attention.v"),
        ("attention.out_proj.weight", "attention.out"),
        *REST,
    ]
    assert [view.rows for view in views_by_module(model)[1:4]] == [(0, 6), (6, 12), (12, 18)]


def test_separate_projections_are_whole_parameters() -> None:
    model = Small(kdim=4, vdim=5)
    assert kinds(model)[1:] == [
        ("attention.q_proj_weight", "attention.q"),
        ("attention.k_proj_weight", "attention.k"),
        ("attention.v_proj_weight", "attention.v"),
        ("attention.out_proj.weight", "attention.out"),
        *REST,
    ]
    assert all(view.rows is None for view in views_by_module(model))


@pytest.mark.parametrize("attention", [{}, {"kdim": 4, "vdim": 5}])
def test_every_view_names_a_parameter_and_layers_do_not_go_back(attention: dict[str, int]) -> None:
    model = Small(**attention)
    parameters = dict(model.named_parameters())
    views = views_by_module(model)
    assert all(view.of(parameters[view.parameter]).ndim >= 2 for view in views)
    assert views[0].layer == 0
    assert [view.layer for view in views] == sorted(view.layer for view in views)
    assert len({view.layer for view in views if view.is_attention}) == 1


def test_a_layer_on_its_own_is_named_without_a_dot() -> None:
    assert kinds(nn.Linear(2, 3)) == [("weight", "head")]
    assert kinds(nn.Conv2d(2, 3, 1)) == [("weight", "conv")]
    assert kinds(nn.MultiheadAttention(4, 1)) == [
        ("in_proj_weight", "attention.q"),
        ("in_proj_weight", "attention.k"),
        ("in_proj_weight", "attention.v"),
        ("out_proj.weight", "attention.out"),
    ]


def test_a_layer_that_inherits_from_linear_is_one() -> None:
    class Scaled(nn.Linear):
        pass

    assert kinds(nn.Sequential(Scaled(2, 2), nn.ReLU(), Scaled(2, 2))) == [
        ("0.weight", "ffn"),
        ("2.weight", "head"),
    ]


def test_a_network_without_weights_has_no_views() -> None:
    assert views_by_module(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3))) == []


def test_a_module_whose_name_begins_like_the_attention_is_not_inside_it() -> None:
    model = nn.ModuleDict(
        {"attn": nn.MultiheadAttention(4, 1), "attn_out": nn.Linear(4, 4), "head": nn.Linear(4, 2)}
    )
    assert kinds(model)[4:] == [("attn_out.weight", "ffn"), ("head.weight", "head")]


WEIGHT = torch.arange(12).reshape(3, 4)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (WeightView("w", "ffn", 0), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]),
        (WeightView("w", "ffn", 0, rows=(1, 3)), [[4, 5, 6, 7], [8, 9, 10, 11]]),
        (WeightView("w", "ffn", 0, columns=(2, 4)), [[2, 3], [6, 7], [10, 11]]),
        (WeightView("w", "ffn", 0, rows=(0, 1), columns=(1, 2)), [[1]]),
        (WeightView("w", "ffn", 0, transposed=True), [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]),
        (WeightView("w", "ffn", 0, transposed=True, rows=(3, 4)), [[3, 7, 11]]),
        (WeightView("w", "ffn", 0, transposed=True, columns=(0, 1)), [[0], [1], [2], [3]]),
    ],
)
def test_a_view_cuts_output_rows_and_input_columns_after_transposing(
    view: WeightView, expected: list[int]
) -> None:
    assert view.of(WEIGHT).tolist() == expected


def test_a_view_keeps_the_dimensions_of_a_kernel() -> None:
    kernel = torch.zeros(8, 4, 3, 5)
    assert WeightView("w", "conv", 0, rows=(2, 8), columns=(0, 1)).of(kernel).shape == (6, 1, 3, 5)
    assert WeightView("w", "conv", 0, transposed=True).of(kernel).shape == (4, 8, 3, 5)


@pytest.mark.parametrize(
    ("kind", "attention", "feed_forward"),
    [
        ("attention.q", True, False),
        ("attention.out", True, False),
        ("conv", False, True),
        ("ffn", False, True),
        ("ffn.in", False, True),
        ("ffn.out", False, True),
        ("head", False, True),
        ("embed", False, False),
    ],
)
def test_roles_are_attention_or_feed_forward_or_neither(
    kind: str, attention: bool, feed_forward: bool
) -> None:
    view = WeightView("w", kind, 0)
    assert (view.is_attention, view.is_feed_forward) == (attention, feed_forward)


def test_a_role_stands_for_its_parts_and_for_nothing_that_begins_like_it() -> None:
    view = WeightView("w", "ffn.in", 0)
    assert view.has_role("ffn") and view.has_role("ffn.in")
    assert not any(map(view.has_role, ("ffn.out", "ffn.i", "f", "")))
    assert not WeightView("w", "ffn", 0).has_role("ffn.in")
