"""Networks as plain PyTorch: tensors in, logits out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from denas_core.errors import ConfigError, PluginError
from denas_core.models.deployable import (
    DeployableStage,
    deployable_network,
    deployable_stages,
    dimension_names,
    shortened,
    traced,
)
from denas_core.networks.stages import Stage
from denas_core.testing.samples.spaces import SampleMLP, sample_spaces
from denas_core.values.batch import Batch, OpenDimension
from tests.core.exported import Answers, InStages, Sequences, model_of, sample_model


@pytest.mark.parametrize("space", sample_spaces(), ids=lambda space: space.id)
def test_it_gives_the_logits_of_the_space(space: Any) -> None:
    model = model_of(space)
    inputs = space.batch(3, seed=2).inputs
    module = deployable_network(model)
    with torch.no_grad():
        expected = space.forward(model.network, Batch(inputs=inputs)).logits["logits"]
        assert torch.equal(module(*inputs.values()), expected)
        assert torch.equal(traced(module).module()(*inputs.values()), expected)
    assert module.output_names == ("logits",)
    assert not any(part.training for part in module.modules())


def test_several_logits_come_in_order_and_have_names() -> None:
    model = model_of(Answers().named("sample/answers"))
    module = deployable_network(model)
    x = torch.randn(4, 12)
    with torch.no_grad():
        outputs = module(x)
    assert module.output_names == ("start", "end")
    assert [tuple(tensor.shape) for tensor in outputs] == [(4, 3), (4, 5)]
    assert module.named(outputs)["end"] is outputs[1]


def test_dimensions_that_a_space_leaves_open_may_have_any_size_in_a_program() -> None:
    module = deployable_network(model_of(Sequences().named("sample/sequences")))
    program = traced(module).module()
    assert dimension_names(module) == ({0: "batch", 1: "positions"},) * 2
    for size, length in ((1, 3), (3, 8), (2, 50)):
        x, weight = torch.rand(size, length, 4), torch.rand(size, length, 1)
        with torch.no_grad():
            assert torch.equal(program(x, weight), module(x, weight))


def test_a_batch_is_shortened_to_half_of_its_open_dimensions_or_to_the_smallest() -> None:
    batch = Sequences().batch(2, seed=0)
    half = shortened(batch)
    assert [tuple(tensor.shape) for tensor in half.inputs.values()] == [(2, 4, 4), (2, 4, 1)]
    assert torch.equal(half.inputs["x"], batch.inputs["x"][:, :4])
    least = shortened(dataclasses.replace(half, open=batch.open))
    assert least.inputs["x"].shape == (2, 3, 4)


def test_stages_run_one_after_the_other_and_give_the_logits() -> None:
    model = model_of(InStages().named("sample/stages"))
    first, second = deployable_stages(model).values()
    assert (first.input_names, first.output_names) == (("x",), ("middle",))
    assert (second.input_names, second.output_names) == (("middle",), ("logits",))
    assert [tuple(tensor.shape) for tensor in second.example(4)] == [(4, 3)]
    assert not any(part.training for module in (first, second) for part in module.modules())
    x = torch.randn(3, 12)
    with torch.no_grad():
        assert torch.equal(traced(second).module()(traced(first).module()(x)), deployable_network(model)(x))


def test_dimensions_between_stages_may_have_any_size() -> None:
    model = model_of(Sequences().named("sample/sequences"))
    length = OpenDimension("length")
    stages = (
        Stage(name="a", module=nn.Linear(4, 3), inputs=("x",), outputs=("y",), open={"y": {1: length}}),
        Stage(name="b", module=nn.Linear(3, 2), inputs=("y",), outputs=("z",)),
    )
    module = DeployableStage(model.space, stages, 1)
    assert dimension_names(module) == ({0: "batch", 1: "length"},)
    assert traced(module).module()(torch.zeros(3, 50, 3)).shape == (3, 50, 2)


def test_a_stage_that_takes_what_nothing_gives_is_an_error() -> None:
    model = model_of(InStages().named("sample/stages"))
    stages = (Stage(name="late", module=nn.Identity(), inputs=("middle",), outputs=("logits",)),)
    with pytest.raises(PluginError, match=r"stage 'late' .*'sample/stages' has the inputs \['middle'\]"):
        DeployableStage(model.space, stages, 0)


def test_a_network_without_stages_has_none() -> None:
    model = sample_model()
    assert deployable_stages(model) == {}
    # A common name of blocks.
    model.network.stages = nn.Sequential(nn.Linear(2, 2))
    assert deployable_stages(model) == {}


def test_the_wrong_number_of_inputs_is_an_error() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        deployable_network(sample_model())(torch.zeros(1, 12), torch.zeros(1, 12))


class Branching(SampleMLP):
    def forward(self, model: Any, batch: Batch) -> Any:
        if batch.inputs["x"].sum() > 0:
            return super().forward(model, batch)
        return super().forward(model, Batch(inputs={"x": -batch.inputs["x"]}))


class TwoSamples(SampleMLP):
    def forward(self, model: Any, batch: Batch) -> Any:
        return super().forward(model, Batch(inputs={"x": batch.inputs["x"].reshape(2, 12)}))


@pytest.mark.parametrize("cls", [Branching, TwoSamples])
def test_what_cannot_be_traced_for_every_batch_is_told_in_one_line(cls: Any) -> None:
    model = model_of(cls().named("sample/odd"))
    with pytest.raises(
        ConfigError, match=r"torch\.export cannot trace this network of 'sample/odd'"
    ) as caught:
        traced(deployable_network(model))
    assert "\n" not in str(caught.value) and "export it to safetensors" in str(caught.value)
