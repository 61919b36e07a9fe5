"""Counts on the meta device, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from denas_core import Architecture, Batch, Knob, PassSpec, SearchSpace, continuous_batch
from denas_core.errors import Infeasible
from denas_core.evaluation.memory import scoring_memory_bytes

ARCH = Architecture("toy", {}, "key")


@dataclasses.dataclass(kw_only=True)
class Given(SearchSpace):
    """A space of one network."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def knobs(self):
        return (Knob("only", (1,)),)

    def build(self, arch, *, head=None, variant="full"):
        return self.make()

    def batch(self, size, *, seed, kind="noise"):
        return continuous_batch(self.shape, size, seed=seed, kind=kind)

    def parts(self, model):
        return {"first": ("0.",), "rest": ("1.", "2.")}


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x, x)


def cost_of(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> dict[str, float]:
    return Given(make=make, shape=shape).counted_cost(ARCH)


def test_a_convolution_counts_a_multiply_add_as_two() -> None:
    cost = cost_of(lambda: nn.Conv2d(3, 8, 3, padding=1), (3, 10, 10))
    assert cost["params"] == 8 * 3 * 9 + 8
    assert cost["flops"] == 2 * 8 * 3 * 9 * 100


def test_a_strided_depthwise_convolution_counts_its_groups_and_positions() -> None:
    cost = cost_of(lambda: nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8, bias=False), (8, 9, 9))
    assert cost["params"] == 8 * 25
    assert cost["flops"] == 2 * 8 * 25 * 5 * 5


def test_a_linear_layer_counts_each_token() -> None:
    cost = cost_of(lambda: nn.Linear(6, 4), (7, 6))
    assert cost["params"] == 28
    assert cost["flops"] == 2 * 7 * 6 * 4


def test_attention_counts_both_of_its_products() -> None:
    assert cost_of(Attention, (3, 16, 5))["flops"] == 2 * (2 * 3 * 16 * 16 * 5)


def test_flops_agree_with_torch_on_a_transformer_layer() -> None:
    def make() -> nn.Module:
        return nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)

    with torch.device("meta"):
        model, x = make().eval(), torch.empty(1, 9, 32)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    assert cost_of(make, (9, 32))["flops"] == counter.get_total_flops() > 0


def test_repeated_layers_count_as_often_as_they_run() -> None:
    layer = cost_of(lambda: nn.Linear(6, 6), (6,))
    cost = cost_of(lambda: nn.Sequential(*[nn.Linear(6, 6) for _ in range(5)]), (6,))
    assert (cost["flops"], cost["params"]) == (5 * layer["flops"], 5 * layer["params"])


def test_a_shared_parameter_counts_once_and_its_flops_each_time() -> None:
    def make() -> nn.Module:
        layer = nn.Linear(6, 6)
        return nn.Sequential(layer, layer)

    cost = cost_of(make, (6,))
    assert cost["params"] == 42
    assert cost["flops"] == 2 * (2 * 36)
    assert cost["size_mb"] == 42 * 4 / 1e6


def test_frozen_parameters_are_not_trainable() -> None:
    cost = cost_of(lambda: nn.Sequential(nn.Linear(6, 6).requires_grad_(False), nn.Linear(6, 1)), (6,))
    assert (cost["params"], cost["trainable_params"]) == (49, 7)


def test_counts_are_integers() -> None:
    cost = cost_of(lambda: nn.Linear(6, 4), (6,))
    assert all(type(cost[name]) is int for name in ("params", "trainable_params", "flops"))


def test_parts_are_counted_by_the_prefix_of_their_parameters() -> None:
    cost = cost_of(lambda: nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 2), nn.Linear(2, 1)), (6,))
    assert (cost["params_first"], cost["params_rest"]) == (28, 10 + 3)


def test_size_includes_buffers_and_counts_floats_as_float32() -> None:
    # Gain, bias, mean and variance of 10 channels, and an integer counter of 8 bytes.
    assert cost_of(lambda: nn.BatchNorm1d(10).double(), (10,))["size_mb"] == (40 * 4 + 8) / 1e6


def test_memory_of_a_chain_is_weights_input_and_the_two_largest_neighbours() -> None:
    cost = cost_of(lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), (4,))
    # Linear and ReLU give 8 numbers each; the linear layer's are free before the last layer gives its 2.
    assert cost["memory_mb"] == 4 * ((40 + 18) + 4 + (8 + 8)) / 1e6


def test_memory_counts_views_and_in_place_results_once() -> None:
    cost = cost_of(lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Flatten()), (4,))
    assert cost["memory_mb"] == 4 * (40 + 4 + 8) / 1e6


def test_memory_keeps_what_a_residual_still_needs() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 10), nn.Linear(10, 20), nn.Linear(20, 10)

        def forward(self, x: Tensor) -> Tensor:
            y = self.a(x)
            return y + self.c(self.b(y))

    cost = cost_of(Residual, (4,))
    # Largest while `c` runs: the shortcut's 10, the 20 of `b` and the 10 of `c`.
    assert cost["memory_mb"] == 4 * ((50 + 220 + 210) + 4 + (10 + 20 + 10)) / 1e6


@pytest.mark.parametrize(
    ("options", "kept", "meanwhile"),
    [
        # (copies of the weights, activations of all samples) that stay, and that are needed meanwhile.
        ({}, (0, 1), (0, 0)),
        ({"magnitude": True}, (1, 1), (0, 0)),
        ({"dtype": "float64"}, (2, 2), (0, 0)),
        ({"gradients": "weights"}, (1, 0), (0, 2)),
        ({"gradients": "factors", "dtype": "float64"}, (4, 0), (0, 4)),
        ({"gradients": "samples"}, (8, 0), (1, 2)),
    ],
)
def test_scoring_memory_counts_weights_activations_and_gradients(
    options: dict[str, Any], kept: tuple[int, int], meanwhile: tuple[int, int]
) -> None:
    space = Given(make=lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), shape=(4,))
    weights, activations = 40 + 18, 8 * (4 + 8 + 8 + 2)
    numbers = [copies * weights + batches * activations for copies, batches in (kept, meanwhile)]
    expected = 4 * (2 * weights + sum(numbers))
    assert scoring_memory_bytes(space, ARCH, [PassSpec(size=8, **options)]) == expected


def test_scoring_memory_of_several_passes_is_what_all_leave_and_the_most_that_one_needs() -> None:
    space = Given(make=lambda: nn.Linear(4, 8, bias=False), shape=(4,))
    forward = PassSpec(size=64)
    backward = dataclasses.replace(forward, readout="cotangent", gradients="weights")
    synaptic = PassSpec(size=1, magnitude=True, readout="sum", gradients="weights")
    # The forward run is part of the first backward run.
    kept, meanwhile = 32 + 2 * 32, 2 * 64 * 12
    expected = 4 * (2 * 32 + kept + meanwhile)
    assert scoring_memory_bytes(space, ARCH, [synaptic, forward, backward, backward]) == expected


def test_scoring_memory_holds_the_gradients_of_each_sample_by_the_largest_convolution() -> None:
    space = Given(make=lambda: nn.Conv2d(2, 3, 5, bias=False), shape=(2, 5, 5))
    weights, activations = 3 * 2 * 25, 2 * 25 + 3
    spec = PassSpec(size=64, readout="cotangent", gradients="layers")
    # Two for the network, one in the layout of convolutions.
    expected = 4 * (3 * weights + 64 * (2 * activations + 3 * weights) + 3 * 2**24)
    assert scoring_memory_bytes(space, ARCH, [spec]) == expected


def test_scoring_memory_has_gradients_of_the_roles_of_a_pass_alone() -> None:
    space = Given(make=lambda: nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)), shape=(4,))
    spec = PassSpec(size=1, readout="sum", gradients="weights", roles=("head",))
    expected = 4 * (2 * (40 + 18) + 16 + 2 * (4 + 8 + 2))
    assert scoring_memory_bytes(space, ARCH, [spec]) == expected


def test_scoring_memory_of_tokens_is_that_of_a_part_of_the_batch() -> None:
    class Tokens(Given):
        def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
            ids = torch.zeros(size, *self.shape, dtype=torch.long, device="meta")
            return Batch(inputs={"x": ids}, positions=256)

    space = Tokens(make=lambda: nn.Embedding(10, 2), shape=(256,))
    spec = PassSpec(size=64, readout="cotangent", gradients="weights")
    # Two samples of 256 tokens at a time; a token takes 8 bytes, its features 4 each.
    activations = 2 * 256 * (8 + 2 * 4)
    # Two for the network; two of gradients, those of a part beside the sum.
    expected = 4 * 4 * 20 + 2 * activations
    assert scoring_memory_bytes(space, ARCH, [spec]) == expected


def test_scoring_memory_is_that_of_the_samples_that_a_pass_sees_and_not_of_those_of_the_cost() -> None:
    sides = {"noise": 8, "ones": 4, "cost": 256}

    class Smaller(Given):
        def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
            return continuous_batch((2, sides[kind], sides[kind]), size, seed=seed, kind=kind)

    space = Smaller(make=lambda: nn.Conv2d(2, 3, 1, bias=False), shape=())
    # The input has two channels and the output three.
    noise, ones = (4 * 16 * 5 * sides[kind] ** 2 for kind in ("noise", "ones"))
    weights = 4 * 2 * 6
    assert scoring_memory_bytes(space, ARCH, [PassSpec(size=16)]) == weights + 4 * 6 + noise
    both = [PassSpec(size=16), PassSpec(size=16, inputs="ones")]
    assert scoring_memory_bytes(space, ARCH, both) == weights + 2 * 4 * 6 + noise + ones
    # Images of the user's data have full size.
    full = 4 * 16 * 5 * sides["cost"] ** 2
    assert scoring_memory_bytes(space, ARCH, both, on_data=True) == weights + 2 * 4 * 6 + full + ones


@pytest.mark.parametrize("classes", [10**18, 10**30])
def test_a_network_beyond_64_bits_is_refused_in_one_line(classes: int) -> None:
    space = Given(make=lambda: nn.Linear(128, classes), shape=(128,)).named("toy/huge")
    with pytest.raises(Infeasible, match=r"toy/huge.*too large: its sizes do not fit into 64 bits") as raised:
        space.counted_cost(ARCH)
    assert "\n" not in str(raised.value)
    with pytest.raises(Infeasible):
        scoring_memory_bytes(space, ARCH, [PassSpec()])


def test_activations_beyond_64_bits_are_refused_too() -> None:
    space = Given(make=nn.ReLU, shape=(2**62,)).named("toy/huge")
    with pytest.raises(Infeasible, match="too large: its sizes do not fit into 64 bits"):
        space.counted_cost(ARCH)


def test_another_failure_of_the_network_keeps_its_error() -> None:
    with pytest.raises(RuntimeError, match=r"reduction dim|cannot be multiplied"):
        cost_of(lambda: nn.Linear(5, 5), (4,))


def test_masks_and_lengths_are_part_of_the_input() -> None:
    class Masked(Given):
        def batch(self, size, *, seed, kind="noise"):
            plain = super().batch(size, seed=seed, kind=kind)
            return Batch(inputs=plain.inputs, lengths={"x": torch.empty(1, dtype=torch.int64, device="meta")})

    space = Masked(make=lambda: nn.Linear(4, 2), shape=(4,))
    assert space.counted_cost(ARCH)["memory_mb"] == (4 * (10 + 4 + 2) + 8) / 1e6


class Projections(nn.Module):
    """Multiplies every position by the same matrix, again and again."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.weight = nn.Parameter(torch.empty(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.times):
            x = x @ self.weight
        return x


def test_an_operation_that_is_repeated_takes_the_memory_that_it_took_first() -> None:
    """A product of many positions is handed out as a view, which its schema does not say; it takes no memory."""
    one, many = (cost_of(lambda times=times: Projections(times), (16, 8)) for times in (1, 4))
    weight, activation = 4 * 8 * 8, 4 * 16 * 8
    assert one["memory_mb"] * 1e6 == weight + 2 * activation
    # The input of the network is held throughout.
    assert many["memory_mb"] * 1e6 == weight + 3 * activation
