"""The operators of a network are read without computing anything, and each can be called again."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from denas_core.latency.operator_times import prepare_call, time_call, time_calls
from denas_core.latency.operators import Operator, OperatorReader
from denas_core.latency.table import describe_call, read_call


def read(model: nn.Module, *shape: int) -> Counter[Operator]:
    return OperatorReader().read(
        lambda: model.to("meta"), lambda: torch.empty(*shape), lambda network, x: network(x)
    )


def test_a_linear_layer_is_one_operator_with_its_work_and_its_traffic() -> None:
    counts = read(nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 16), nn.Linear(16, 16)), 3, 12)
    by_name = {(operator.name, operator.flops): count for operator, count in counts.items()}
    assert by_name == {
        ("aten.linear.default", 2 * 3 * 12 * 16): 1,
        ("aten.linear.default", 2 * 3 * 16 * 16): 2,
        ("aten.relu.default", 0): 1,
    }
    first = next(operator for operator in counts if operator.flops == 2 * 3 * 12 * 16)
    assert first.bytes == 4 * (3 * 12 + 16 * 12 + 16 + 3 * 16)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(12, 16), (3, 5, 12)),
        (nn.Linear(12, 16, bias=False), (12,)),
        (nn.Conv1d(6, 9, 5, stride=2, dilation=3, groups=3), (2, 6, 40)),
        (nn.Conv2d(6, 8, (3, 1), padding=1, bias=False), (2, 6, 9, 7)),
    ],
    ids=["linear", "vector", "conv1d", "conv2d"],
)
def test_flops_are_those_that_torch_counts(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with FlopCounterMode(display=False) as counter:
        layer(torch.empty(shape))
    (operator,) = read(layer, *shape)
    assert operator.flops == counter.get_total_flops() > 0


def test_a_view_moves_no_bytes() -> None:
    (operator,) = read(nn.Flatten(), 2, 3, 4)
    assert operator.bytes == operator.flops == 0


def test_what_is_remembered_changes_no_count() -> None:
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.softmax(x @ x.T, -1) + torch.softmax(x @ x.T, -1)

    reader = OperatorReader()
    first, second = (
        reader.read(Twice, lambda: torch.empty(5, 7), lambda network, x: network(x)) for _ in range(2)
    )
    assert first == second
    assert sum(count for operator, count in first.items() if "softmax" in operator.name) == 2


def test_reading_draws_no_weights() -> None:
    before = torch.get_rng_state()
    OperatorReader().read(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(6, 5)),
        lambda: torch.empty(1, 3, 8, 8),
        lambda network, x: network(x),
    )
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.Conv2d(4, 8, 3, stride=2, groups=2), (1, 4, 9, 9)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
        (nn.GRU(4, 6), (5, 1, 4)),
    ],
    ids=["convolution", "transformer", "recurrent"],
)
def test_every_operator_can_be_called_again_from_its_description(
    network: nn.Module, shape: tuple[int, ...]
) -> None:
    for operator in read(network, *shape):
        described = json.loads(json.dumps(describe_call(operator)))
        assert read_call(described) == operator
        with torch.inference_mode():
            prepare_call(described["name"], described["arguments"])()


def test_an_expanded_argument_is_made_again() -> None:
    about = {"shape": [2, 3], "dtype": "float32", "stride": [0, 1]}
    result = prepare_call("aten.add.Tensor", [[about, about], {}])()
    assert isinstance(result, torch.Tensor)
    assert result.shape == (2, 3)


def test_an_operator_that_this_torch_does_not_have_has_no_time() -> None:
    assert time_call("other.operator.default", [[], {}]) is None
    known = {"name": "aten.relu.default", "arguments": [[{"shape": [2], "dtype": "float32"}], {}]}
    missing, found = time_calls([{"name": "aten.nothing.default", "arguments": [[], {}]}, known])
    assert missing is None
    assert found is not None
    assert found > 0


def test_without_time_nothing_is_timed() -> None:
    known = {"name": "aten.relu.default", "arguments": [[{"shape": [2], "dtype": "float32"}], {}]}
    assert time_calls([known], seconds=-1) == [None]
