from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from denas_core.networks.initialise import DIRECT_PARAMETER_STD, initialise

pytestmark = pytest.mark.numerics


class WithToken(nn.Module):
    """A linear layer, a batch-norm and a parameter that belongs to no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(1, 5000))
        self.body = nn.Sequential(nn.Linear(30, 40), nn.BatchNorm1d(40))


class HandWrittenNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3))
        self.bias = nn.Parameter(torch.empty(3))
        self.scale = nn.Parameter(torch.empty(()))


class Buffered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("positions", torch.arange(4))


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def test_equal_seeds_give_equal_bits_from_any_device_and_history() -> None:
    first = weights(initialise(WithToken(), seed=3))
    torch.rand(7)
    for model in (on_meta(WithToken), initialise(WithToken(), seed=8)):
        again = initialise(model, seed=3).state_dict()
        assert all(torch.equal(again[name], tensor) for name, tensor in first.items())
        assert not any(tensor.is_meta for tensor in again.values())
    other = initialise(WithToken(), seed=4).state_dict()
    assert not torch.equal(other["body.0.weight"], first["body.0.weight"])
    assert not torch.equal(other["token"], first["token"])


def test_the_global_generator_is_left_as_it_was() -> None:
    model = WithToken()
    before = torch.get_rng_state()
    initialise(model, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_layers_have_their_own_initialisation_and_direct_parameters_a_normal_one() -> None:
    model = initialise(on_meta(WithToken), seed=0)
    linear, norm = model.body
    # A linear layer draws from the uniform distribution on +-1/sqrt(inputs), of deviation 1/sqrt(3 inputs).
    assert linear.weight.abs().max().item() <= 30**-0.5
    assert linear.weight.std().item() == pytest.approx(90**-0.5, rel=0.05)
    assert torch.equal(norm.weight, torch.ones(40))
    assert torch.equal(norm.running_mean, torch.zeros(40))
    assert model.token.std().item() == pytest.approx(DIRECT_PARAMETER_STD, rel=0.05)
    assert abs(model.token.mean().item()) < 5 * DIRECT_PARAMETER_STD / 5000**0.5
    assert model.token.requires_grad


def test_a_norm_without_its_own_initialisation_is_the_identity() -> None:
    model = initialise(on_meta(lambda: nn.Sequential(HandWrittenNorm())), seed=0)
    assert model[0].weight.tolist() == [1, 1, 1]
    assert model[0].bias.tolist() == [0, 0, 0]
    assert model[0].scale.item() == 1


def test_attention_is_initialised_by_its_own_method() -> None:
    model = initialise(on_meta(lambda: nn.MultiheadAttention(64, 4)), seed=0)
    # Xavier: uniform on +-sqrt(6 / (inputs + outputs)).
    assert model.in_proj_weight.abs().max().item() <= (6 / 256) ** 0.5
    assert model.in_proj_weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.05)
    assert torch.equal(model.in_proj_bias, torch.zeros(192))
    assert torch.equal(model.out_proj.bias, torch.zeros(64))


def test_a_buffer_that_nothing_can_restore_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        initialise(on_meta(lambda: nn.Sequential(Buffered())), seed=0)
    assert str(caught.value) == (
        "module '0' has buffers but no reset_parameters(); define it, or define load() of the space"
    )


def test_a_buffer_that_is_there_is_kept() -> None:
    model = initialise(Buffered(), seed=0)
    assert model.positions.tolist() == [0, 1, 2, 3]
