"""Diversity: nuclear norms, and a read-out that survives a final layer norm."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from denas_core import Candidate, PassSpec, ScoreFailed, WeightView
from denas_core.values.passes import GradientFactors
from denas_scores.diversity import Diversity, nuclear_norm, nuclear_norm_of_product

from .toy_spaces import AttentionSpace, CNNSpace

pytestmark = pytest.mark.numerics


def test_the_nuclear_norm_is_the_sum_of_the_singular_values() -> None:
    generator = torch.Generator().manual_seed(0)
    left = torch.linalg.qr(torch.randn(5, 3, dtype=torch.float64, generator=generator))[0]
    right = torch.linalg.qr(torch.randn(4, 3, dtype=torch.float64, generator=generator))[0]
    matrix = left @ torch.diag(torch.tensor([1.0, 2.0, 4.5], dtype=torch.float64)) @ right.T
    assert nuclear_norm(matrix) == pytest.approx(7.5)
    assert nuclear_norm(torch.full((2, 3), 1.0)) == pytest.approx(math.sqrt(6))


@pytest.mark.parametrize(
    "decay", [1.0, 1e-3, 1e-6, 1e-10, 0.0], ids=["flat", "1e-3", "1e-6", "1e-10", "low rank"]
)
@pytest.mark.parametrize("shape", [(160, 160), (96, 160), (160, 96)])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_the_nuclear_norm_of_float32_is_that_of_float64(
    decay: float, shape: tuple[int, int], scale: float
) -> None:
    """Spectra from flat to one that begins far above its rest, and a matrix of rank 8."""
    generator = torch.Generator().manual_seed(0)
    least = min(shape)
    spectrum = torch.logspace(0, math.log10(decay or 1), least, dtype=torch.float64)
    spectrum[8:] *= decay > 0
    left, right = (
        torch.linalg.qr(torch.randn(size, least, dtype=torch.float64, generator=generator))[0]
        for size in shape
    )
    matrix = (scale * (left * spectrum) @ right.T).float()
    expected = float(torch.linalg.svdvals(matrix.double()).sum())
    assert nuclear_norm(matrix) == pytest.approx(expected, rel=1e-6)


def test_a_matrix_that_is_not_finite_has_none() -> None:
    with pytest.raises(ScoreFailed, match="not finite"):
        nuclear_norm(torch.tensor([[1.0, math.inf]]))


@pytest.mark.parametrize("fused", [False, True])
def test_it_is_the_sum_over_projections_of_the_products_of_nuclear_norms(fused: bool) -> None:
    """Singular values by an independent route: the roots of the eigenvalues of A^T A."""
    space = AttentionSpace(fused=fused)
    candidate = Candidate(space, space.full())
    spec = PassSpec(inputs="ones", size=1, dtype="float64", readout="cotangent", gradients="weights")
    trace = candidate.trace(spec)

    def roots(matrix: torch.Tensor) -> float:
        return float(torch.linalg.eigvalsh(matrix.T @ matrix).clamp(min=0).sqrt().sum())

    expected = 0.0
    for view in candidate.views():
        if view.kind.startswith("attention"):
            weight, gradient = trace.parameters[view.parameter], trace.gradients[view.parameter]
            expected += roots(view.of(weight)) * roots(view.of(gradient))
    assert Diversity(dtype="float64").measure(candidate) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_it_does_not_vanish_behind_a_final_layer_norm(fused: bool) -> None:
    space = AttentionSpace(fused=fused)
    candidate = Candidate(space, space.full())
    single, double = Diversity().measure(candidate), Diversity(dtype="float64").measure(candidate)
    assert double > 1
    assert single == pytest.approx(double, rel=1e-4)
    plain = PassSpec(inputs="ones", size=1, dtype="float64", readout="sum", gradients="weights")
    gradients = candidate.trace(plain).gradients
    assert max(float(gradients[v.parameter].abs().max()) for v in candidate.views() if v.is_attention) < 1e-12


def test_it_requires_attention() -> None:
    assert Diversity().requires() == {"attention"}
    with pytest.raises(ScoreFailed, match="no trainable attention"):
        Diversity().measure(Candidate(CNNSpace(), CNNSpace().full()))


@pytest.mark.parametrize("tokens", [3, 40])
def test_a_gradient_has_the_nuclear_norm_of_its_factors(tokens: int) -> None:
    """Few tokens: through their QR factors; many: through the product itself."""
    generator = torch.Generator().manual_seed(0)
    inputs, outputs = (
        torch.randn(tokens, width, dtype=torch.float64, generator=generator) for width in (20, 30)
    )
    view = WeightView("w", "attention.k", 1, rows=(10, 28), columns=(2, 20))
    expected = float(torch.linalg.svdvals((outputs.T @ inputs)[10:28, 2:20]).sum())
    factors = GradientFactors(outputs=outputs, inputs=inputs)
    assert nuclear_norm_of_product(factors.of(view)) == pytest.approx(expected, rel=1e-12)


def test_a_projection_that_is_no_plain_layer_is_differentiated_by_itself() -> None:
    """A transposed matrix product with a slice is none."""

    class Sliced(AttentionSpace):
        def build(self, arch: Any, *, head: Any = None, variant: str = "full") -> torch.nn.Module:
            model = super().build(arch, head=head, variant=variant)
            for module in model.modules():
                if hasattr(module, "q"):
                    projection = module.q
                    projection.forward = lambda x, p=projection: x @ p.weight.T[:, :] + p.bias
            return model

    values = [
        Diversity(dtype="float64").measure(Candidate(space, space.full()))
        for space in (AttentionSpace().named("toy/same"), Sliced().named("toy/same"))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_frozen_projections_have_none() -> None:
    class Frozen(AttentionSpace):
        def build(self, arch: Any, *, head: Any = None, variant: str = "full") -> torch.nn.Module:
            return super().build(arch, head=head, variant=variant).requires_grad_(False)

    with pytest.raises(ScoreFailed, match="no trainable attention projection"):
        Diversity().measure(Candidate(Frozen(), Frozen().full()))


def test_noise_on_the_inputs_is_the_same_for_every_candidate_and_another_for_every_seed() -> None:
    space = AttentionSpace()
    arch = space.full()
    noisy, plain = Diversity(noise=1.0), Diversity()
    values = [noisy.measure(Candidate(space, arch, seed=seed)) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert values[0] != plain.measure(Candidate(space, arch, seed=0))
    (spec,) = noisy.passes()
    assert (spec.perturbation, spec.norm, spec.inputs) == (1.0, "coupled", "ones")
