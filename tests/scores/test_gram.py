"""Gram matrices of layer records against gradients by autograd, one sample at a time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from denas_core import LayerCall, WeightView
from denas_core.values.passes import Convolution
from denas_scores import gram

pytestmark = pytest.mark.numerics

CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "3x3": {},
    "1x1": {"kernel": (1, 1)},
    "1x1 with stride": {"kernel": (1, 1), "stride": 2},
    "stride that leaves a rest": {"stride": 2, "size": (8, 7)},
    "padding": {"padding": 2},
    "dilation": {"dilation": 2, "padding": 2},
    "oblong": {"kernel": (1, 5), "padding": (0, 2), "stride": (2, 1)},
    "groups": {"groups": 2},
    "depth-wise": {"groups": 4, "outputs": 8},
    "many positions": {"size": (14, 13), "padding": 1},
    "many positions, groups": {"size": (14, 13), "groups": 2, "stride": 2},
    "1-d": {"kernel": (3,), "size": (9,), "padding": 1},
    "3-d": {"kernel": (2, 3, 1), "size": (5, 4, 3), "stride": (1, 2, 1)},
}


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def convolution_call(
    kernel: tuple[int, ...] = (3, 3),
    size: tuple[int, ...] = (7, 6),
    stride: Any = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
    outputs: int = 6,
    seed: int = 0,
) -> tuple[LayerCall, torch.Tensor]:
    """Return a record and the gradient of each sample by autograd."""
    dims = len(kernel)
    operation: Any = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]
    inputs = random(3, 4, *size, seed=seed)
    weight = random(outputs, 4 // groups, *kernel, seed=seed + 1).requires_grad_()
    output = operation(inputs, weight, None, stride, padding, dilation, groups)
    gradient = random(*output.shape, seed=seed + 2)
    each = [
        torch.autograd.grad(output[i], weight, gradient[i], retain_graph=True)[0] for i in range(len(inputs))
    ]

    def spread(value: Any) -> tuple[int, ...]:
        return (value,) * dims if isinstance(value, int) else value

    call = LayerCall(
        parameter="weight",
        inputs=inputs,
        output_gradient=gradient,
        convolution=Convolution(
            kernel=kernel,
            stride=spread(stride),
            padding=tuple((p, p) for p in spread(padding)),
            dilation=spread(dilation),
            groups=groups,
        ),
    )
    return call, torch.stack(each)


def flat_gram(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.flatten(1) @ gradients.flatten(1).T


WHOLE = [WeightView("weight", "conv", 0)]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str) -> None:
    call, gradients = convolution_call(**CONVOLUTIONS[name])
    torch.testing.assert_close(gram.gram_of_views([call], WHOLE), flat_gram(gradients))


@pytest.mark.parametrize("name", ["3x3", "groups", "many positions"])
def test_a_part_of_a_kernel(name: str) -> None:
    call, gradients = convolution_call(**CONVOLUTIONS[name])
    part = WeightView("weight", "conv", 0, rows=(1, 4), columns=(0, 2))
    torch.testing.assert_close(gram.gram_of_views([call], [part]), flat_gram(gradients[:, 1:4, :2]))


def test_a_convolution_called_twice_adds_up() -> None:
    (first, by_first), (second, by_second) = convolution_call(seed=0), convolution_call(size=(5, 5), seed=9)
    torch.testing.assert_close(gram.gram_of_views([first, second], WHOLE), flat_gram(by_first + by_second))


@pytest.mark.parametrize("positions", [(), (1,), (5,), (2, 3), (40,)])
@pytest.mark.parametrize(("width_in", "width_out"), [(4, 3), (30, 40)])
def test_linear_layers_by_either_route(positions: tuple[int, ...], width_in: int, width_out: int) -> None:
    inputs, gradient = random(3, *positions, width_in, seed=0), random(3, *positions, width_out, seed=1)
    call = LayerCall(parameter="weight", inputs=inputs, output_gradient=gradient)
    expected = torch.einsum(
        "npi,npo->noi", inputs.reshape(3, -1, width_in), gradient.reshape(3, -1, width_out)
    )
    torch.testing.assert_close(gram.gram_of_views([call], WHOLE), flat_gram(expected))


def test_linear_layers_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram, "LARGEST_BLOCK", 64)
    test_linear_layers_by_either_route((40,), 30, 40)


def test_a_linear_layer_called_twice_adds_up() -> None:
    calls = [
        LayerCall(
            parameter="weight",
            inputs=random(3, length, 4, seed=length),
            output_gradient=random(3, length, 5, seed=length + 1),
        )
        for length in (2, 7)
    ]
    expected = sum(torch.einsum("npi,npo->noi", call.inputs, call.output_gradient) for call in calls)
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(gram.gram_of_views(calls, WHOLE), flat_gram(expected))


def test_adjoining_and_repeated_views_become_one_part() -> None:
    fused = [WeightView("w", f"attention.{part}", 0, rows=(i * 4, i * 4 + 4)) for i, part in enumerate("qkv")]
    for views in itertools.permutations(fused):
        assert gram.merged_slices([*views, views[0]]) == [((0, 12), None)]
    assert gram.merged_slices(fused[::2]) == [((0, 4), None), ((8, 12), None)]
    assert gram.merged_slices([*fused, WeightView("w", "ffn", 0)]) == [(None, None)]
