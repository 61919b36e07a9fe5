"""The space of Conformers: counts, cost, views, scores."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from denas_asr.conformer.space import Conformer
from denas_core import Candidate
from denas_core.errors import ConfigError
from denas_core.registry.options import make_component
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency
from tests.asr.tiny_spaces import SIZES


def make(**options: Any) -> Conformer:
    space: Conformer = make_component(Conformer, options, id="asr/conformer")
    return space


def values(depth: int, width: int, ratio: float, heads: int, kernel: int) -> dict[str, Any]:
    block = {"mlp_ratio": ratio, "heads": heads, "kernel": kernel}
    layers = {f"layer{i}.{name}": value for i in range(1, depth + 1) for name, value in block.items()}
    return {"depth": depth, "embed_dim": width, **layers}


def test_the_encoder_counts_what_a_formula_does() -> None:
    """That of torchaudio's Conformer, with the projection of the front-end."""
    space = make()
    arch = space.architecture(values(4, 144, 4.0, 4, 31))
    d, f, k = 144, 576, 31
    feed_forward = 2 * d + 2 * d * f + f + d
    attention = 2 * d + 4 * d * (d + 1)
    convolution = 2 * d + 2 * d * (d + 1) + d * (k + 1) + 2 * d + d * (d + 1)
    block = 2 * feed_forward + attention + convolution + 2 * d
    assert space.cost(arch)["params_encoder"] == 1280 * d + d + 4 * block


def test_the_encoder_of_the_smallest_micro_network_counts_what_a_formula_does() -> None:
    space = make(**Conformer.presets["micro"])
    d, f, k = 64, 64, 7
    feed_forward = 2 * d + 2 * d * f + f + d
    attention = 2 * d + 4 * d * (d + 1)
    convolution = 2 * d + 2 * d * (d + 1) + d * (k + 1) + 2 * d + d * (d + 1)
    block = 2 * feed_forward + attention + convolution + 2 * d
    cost = space.cost(space.smallest())
    assert cost["params_encoder"] == 320 * d + d + 4 * block
    assert 300_000 < cost["params"] < 320_000
    assert space.cost(space.full())["params"] < make().cost(make().smallest())["params"]


def test_the_cost_is_that_of_the_whole_network_on_the_meta_device() -> None:
    rng = random.Random(0)
    for seconds in (0.05, 0.6, 4.0):
        space = make(**{**SIZES, "depths": [1, 2, 3], "seconds": seconds}, kernels=[3, 9])
        for arch in (space.sample(rng), space.sample(rng)):
            assert space.cost(arch) == space.counted_cost(arch), arch.as_dict()
    space = make()
    assert space.cost(space.full()) == space.counted_cost(space.full())


def test_kernels_are_odd() -> None:
    with pytest.raises(ConfigError, match="kernels has 4; a kernel size must be odd"):
        make(kernels=[3, 4])


def test_views_name_every_matrix_of_a_block() -> None:
    space = make(**SIZES, kernels=[3])
    arch = space.architecture(values(1, 16, 1.5, 2, 3))
    with torch.device("meta"):
        model = space.build(arch)
    shapes = dict(model.named_parameters())
    found = [(v.kind, tuple(v.of(shapes[v.parameter]).shape)) for v in space.views(model) if v.layer == 1]
    feed_forward = [("ffn.in", (24, 16)), ("ffn.out", (16, 24))]
    assert found == [
        *feed_forward,
        *((f"attention.{part}", (16, 16)) for part in ("q", "k", "v", "out")),
        ("conv", (32, 16)),
        ("conv", (16, 1, 3)),
        ("conv", (16, 16)),
        *feed_forward,
    ]
    matrices = {name for name, parameter in shapes.items() if parameter.dim() > 1}
    assert {view.parameter for view in space.views(model)} == matrices


def test_the_components_are_those_of_speech_transformers() -> None:
    weights = make().reference_recipe().weights
    assert {name for name, weight in weights.items() if weight} == {"diversity", "saliency"}


def test_the_scores_of_networks_of_real_size_are_finite() -> None:
    space = make(probe_frames=16, vocabulary=100)
    for arch in (space.smallest(), space.full()):
        candidate = Candidate(space, arch)
        assert 0 < Diversity().measure(candidate) < 1e10
        assert 0 < Saliency().measure(candidate) < 600
