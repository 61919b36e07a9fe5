"""Networks with stages: each stage has its own number of layers, and a shorter one computes what is left of it."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.errors import ConfigError
from denas_core.pretrained.layout import Axis
from denas_core.testing import SpaceTests
from denas_hf.space import Auto

from .inherited import features_of, inheriting_network
from .model_types import STAGED, checkpoint_of, values_of
from .tiny_models import made

pytestmark = pytest.mark.numerics

ORDERED = {"swin", "resnet", "swinv2", "regnet"}
"""Model types whose blocks do not compute the same in another place: they shift windows, or the first one is larger."""


@functools.cache
def space_of(name: str, **options: Any) -> Auto:
    return made(model=str(checkpoint_of(name)), **options)


@pytest.mark.parametrize("by", ["leading", "magnitude", "activation"])
@pytest.mark.parametrize("name", STAGED)
def test_a_shorter_stage_is_that_of_the_network_in_which_the_other_blocks_are_skipped(
    name: str, by: str
) -> None:
    space = space_of(name, inherit=by)
    original = space.start.original
    for stage, depth in enumerate(original.dimensions.stages):
        knob, stack = f"stage{stage + 1}.layers", f"stage{stage + 1}"
        small = inheriting_network(space, {knob: depth - 1})
        kept = space.calibrated.inheritance.choice(small.config).kept[Axis(stack)]
        whole = inheriting_network(space, {})
        prefix = next(p.partition(f"{{{stack}}}")[0] for p in original.family.weights if f"{{{stack}}}" in p)
        (lost,) = set(range(depth)) - set(kept)
        whole.get_submodule(f"{prefix}{lost}").register_forward_hook(_skip)
        torch.testing.assert_close(features_of(space, small), features_of(space, whole), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", STAGED)
def test_blocks_that_compute_something_else_in_another_place_are_ordered(name: str) -> None:
    space = space_of(name, inherit="magnitude")
    assert space.start.original.family.is_ordered == (name in ORDERED)
    stages = {knob.name: knob.values[0] for knob in space.knobs()}
    choice = space.calibrated.inheritance.choice(inheriting_network(space, stages).config)
    kept = [members for axis, members in choice.kept.items() if axis.name.startswith("stage")]
    if name in ORDERED:
        assert all(members == tuple(range(len(members))) for members in kept)


@pytest.mark.parametrize("name", ["swin", "convnext", "resnet"])
def test_costs_of_few_layers_add_up_to_those_of_the_whole_network(name: str) -> None:
    values = {**values_of(name), "depths": [4, 5, 3][: len(values_of(name)["depths"])]}
    space = made(config=values)
    choices = [knob.values for knob in space.knobs()]
    for depths in itertools.product(*(sorted({own[0], own[-1]}) for own in choices)):
        arch = space.parse(f'{{"depths": {list(depths)}}}')
        assert space.cost(arch) == space.counted_cost(arch)


def test_an_architecture_is_written_as_the_list_of_the_configuration() -> None:
    space = space_of("swin")
    arch = space.parse('{"depths": [1, 2, 2]}')
    assert arch.as_dict() == {"stage1.layers": 1, "stage2.layers": 2, "stage3.layers": 2}
    assert space.format(arch) == '{"depths":[1,2,2]}'
    assert space.parse(space.format(arch)).key == arch.key
    with pytest.raises(ConfigError, match="must be a list of 3 numbers of layers, one for each stage"):
        space.parse('{"depths": [1, 2]}')
    with pytest.raises(ConfigError, match=r"stage1\.layers"):
        space.parse('{"depths": [9, 2, 2]}')


def test_each_stage_takes_the_given_choices_that_it_has_layers_for() -> None:
    space = made(config={**values_of("swin"), "depths": [2, 6, 1]}, layers=[2, 4, 6])
    assert [knob.values for knob in space.knobs()] == [(2,), (2, 4, 6), (1,)]
    with pytest.raises(ValueError, match="from 1 to 3 as in the longest stage"):
        made(config=values_of("swin"), layers=[4])
    with pytest.raises(
        ValueError, match=r"heads .* cannot be chosen for swin, whose widths stay as they are"
    ):
        made(config=values_of("swin"), heads=[1])


def test_weights_of_networks_with_stages_are_fitted_only_on_request(tmp_path: Path) -> None:
    for name, is_fitted in (("convnext", False), ("vit", True)):
        space = space_of(name, calibration=str(tmp_path))
        assert space.reconstructs_weights(space.smallest()) == is_fitted
    space = space_of("convnext", reconstructs=True, calibration_samples=32)
    arch = space.smallest()
    assert space.reconstructs_weights(arch)
    network = inheriting_network(space, arch.values)
    before = features_of(space, network)
    after = features_of(space, space.reconstruct(network, arch))
    assert not torch.equal(after, before)
    torch.testing.assert_close(after, before, rtol=0, atol=0.5)


class TestStages(SpaceTests):
    def make(self) -> Auto:
        return made(model=str(checkpoint_of("convnext")), inherit="magnitude")


def _skip(module: nn.Module, inputs: Any, output: Any) -> Any:
    return (inputs[0], *output[1:]) if isinstance(output, tuple) else inputs[0]
