"""Inherited weights are fitted to the outputs of their checkpoint, in closed form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from denas_hf.reconstruction import fit_norm, fit_projection
from denas_hf.space import Auto

from .inherited import features_of, full_features, inheriting_network
from .planted import changed, silence_neurons
from .tiny_models import inheriting_space, made


def relative_error(space: Auto, *, fitted: bool) -> float:
    """Return the squared error of the smallest network on the calibration batches, relative to their variance."""
    arch = space.smallest()
    network = space.load(space.build(arch), arch, seed=0, weights="inherited").eval()
    if fitted:
        assert space.reconstruct(network, arch) is network and not network.training
    kept, error, variance = list(space.kept_features(arch)), 0.0, 0.0
    for batch in space.calibrated.checkpoint.batches:
        with torch.no_grad():
            found = space.forward(network, batch).features
            wanted = space.forward(space.calibrated.checkpoint.network, batch).features[..., kept]
        error += float((found - wanted).square().sum())
        variance += float((wanted - wanted.mean((0, 1))).square().sum())
    return error / variance


@pytest.mark.parametrize("name", ["bert", "distilbert", "electra", "deberta", "gpt2", "llama"])
def test_a_fitted_network_is_closer_to_its_checkpoint(name: str) -> None:
    space = inheriting_space(name, inherit="activation", reconstructs=True)
    assert relative_error(space, fitted=True) < 0.75 * relative_error(space, fitted=False)


@pytest.mark.parametrize("name", ["albert", "clip", "t5", "vit", "wav2vec2", "wav2vec2-stable"])
def test_networks_of_other_families_stay_finite(name: str) -> None:
    space = inheriting_space(name, inherit="activation", reconstructs=True)
    assert relative_error(space, fitted=True) < 10


def test_what_is_exact_already_stays_so(tmp_path: Path) -> None:
    space = made(
        model=str(changed("bert", tmp_path, silence_neurons)), inherit="activation", reconstructs=True
    )
    network = inheriting_network(space, {"intermediate": 32})
    arch = space.architecture({**space.full().as_dict(), "intermediate": 32})
    space.reconstruct(network, arch)
    assert torch.allclose(features_of(space, network), full_features(space), atol=1e-3)


def test_the_largest_network_is_the_checkpoint_bit_for_bit() -> None:
    space = inheriting_space("bert", inherit="activation", reconstructs=True)
    network = space.reconstruct(inheriting_network(space, {}), space.full())
    assert torch.equal(features_of(space, network), full_features(space))


def test_without_the_option_nothing_is_fitted() -> None:
    space = inheriting_space("bert", inherit="activation", reconstructs=False)
    arch = space.smallest()
    before = space.load(space.build(arch), arch, seed=0, weights="inherited").state_dict()
    network = space.load(space.build(arch), arch, seed=0, weights="inherited")
    after = space.reconstruct(network, arch).state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_projection_is_the_solution_of_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 5, dtype=torch.float64, generator=generator)
    target = torch.randn(200, 3, dtype=torch.float64, generator=generator)
    layer = nn.Linear(5, 3).double().requires_grad_(False)
    outputs = fit_projection(layer, inputs, target, ridge=0)
    with_ones = torch.cat([inputs, torch.ones(200, 1, dtype=torch.float64)], 1)
    best = torch.linalg.lstsq(with_ones, target).solution
    assert torch.allclose(outputs, with_ones @ best, atol=1e-9)
    assert torch.allclose(layer(inputs), outputs, atol=1e-9)


def test_a_norm_learns_the_scale_and_the_shift_of_its_target() -> None:
    inputs = torch.randn(500, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scale, shift = torch.tensor([1.0, 2.0, 0.5, -1.0]).double(), torch.tensor([0.0, 1.0, 2.0, 3.0]).double()
    target = nn.LayerNorm(4, elementwise_affine=False)(inputs) * scale + shift
    norm = nn.LayerNorm(4).double().requires_grad_(False)
    norm.weight.copy_(scale)
    fit_norm(norm, inputs, target)
    assert torch.allclose(norm(inputs), target, atol=1e-9)
