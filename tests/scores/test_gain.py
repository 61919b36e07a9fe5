"""The gain against its formula, against linear networks, and against depth."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from denas_core import (
    Batch,
    BatchKind,
    Candidate,
    Knob,
    Outputs,
    ProxyScore,
    ScoreFailed,
    SearchSpace,
    continuous_batch,
)
from denas_core.errors import ConfigError
from denas_core.evaluation.scoring import Scoring
from denas_scores.gain import Gain, relative_gain
from denas_scores.jacobian import JacobianCovariance

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace, TokenSpace

pytestmark = pytest.mark.numerics


class Body(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.layers(x))


class Residual(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.bodies = nn.Sequential(*[Body(8) for _ in range(depth)])
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.bodies(self.stem(x))
        return features, self.head(features.mean((2, 3)))


@dataclasses.dataclass(kw_only=True)
class ResidualSpace(SearchSpace):
    """Residual bodies in a row; without any, the network is one linear layer."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("depth", (0, 4, 24)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Residual(arch["depth"])

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        return continuous_batch((3, 8, 8), size, seed=seed, kind=kind)


def outputs(features: list[Any], mask: Tensor | None = None) -> Outputs:
    masks = {} if mask is None else {"features": mask}
    return Outputs(features=torch.tensor(features), logits={}, masks=masks)


def no_other(name: str) -> ProxyScore:
    raise AssertionError(name)


def test_it_is_the_mean_of_the_relative_changes_over_the_relative_change_of_the_input() -> None:
    # The mean is (2, 0). The samples are 2 and 2 away from it, and change by 0.05 and 0.1.
    clean = outputs([[0.0, 0.0], [4.0, 0.0]])
    perturbed = outputs([[0.03, 0.04], [4.0, 0.1]])
    assert relative_gain(clean, perturbed) == pytest.approx((0.05 / 2 + 0.1 / 2) / 2 / 0.01, rel=1e-5)


def test_masked_positions_count_neither_as_change_nor_as_spread() -> None:
    mask = torch.tensor([[True, False], [True, False]])
    clean = outputs([[[0.0], [7.0]], [[4.0], [-7.0]]], mask)
    perturbed = outputs([[[0.1], [9.0]], [[4.1], [9.0]]], mask)
    assert relative_gain(clean, perturbed) == pytest.approx(0.1 / 2 / 0.01, rel=1e-5)


@pytest.mark.parametrize(
    ("clean", "perturbed"), [([[1.0], [1.0]], [[1.1], [1.2]]), ([[1.0], [2.0]], [[1.0], [2.0]])]
)
def test_it_fails_where_features_do_not_differ_or_do_not_change(clean: Any, perturbed: Any) -> None:
    with pytest.raises(ScoreFailed, match="the same for some or all inputs"):
        relative_gain(outputs(clean), outputs(perturbed))


def test_a_linear_network_has_a_gain_of_about_1_whatever_its_weights() -> None:
    space = ResidualSpace()
    arch = space.architecture({"depth": 0})
    assert math.exp(Gain().measure(Candidate(space, arch))) == pytest.approx(1, abs=0.05)
    # A feature map of one number has outliers, the samples that are near the mean; the order of size stays.
    for weight in (0.1, 10.0):
        chain = ChainSpace(gain=weight)
        found = Gain(batch_size=512).measure(Candidate(chain, chain.architecture({"width": 3})))
        assert found == pytest.approx(
            Gain(batch_size=512).measure(Candidate(ChainSpace(gain=1.0), chain.full()))
        )


def test_deeper_residual_bodies_have_a_larger_gain() -> None:
    space = ResidualSpace()
    gains = [Gain().measure(Candidate(space, space.architecture({"depth": depth}))) for depth in (0, 4, 24)]
    assert gains[0] + 0.2 < gains[1] < gains[2] - 0.2


def test_repeats_are_averaged() -> None:
    space = CNNSpace()
    once = Gain(batch_size=8).measure(Candidate(space, space.full()))
    twice = Gain(batch_size=8, repeats=2).measure(Candidate(space, space.full()))
    assert once != twice
    assert twice == pytest.approx(once, abs=0.5)


def test_it_shares_the_clean_run_with_the_components_of_the_default_score() -> None:
    space = CNNSpace()
    scores = (JacobianCovariance(batch_size=8), Gain(batch_size=8))
    candidate = Candidate(space, space.full(), passes=[spec for one in scores for spec in one.passes()])
    together = [one.measure(candidate) for one in scores]
    assert len(candidate.pass_seconds) == 2
    assert together == [one.measure(Candidate(space, space.full())) for one in scores]


def test_a_space_of_tokens_has_none() -> None:
    space = TokenSpace()
    with pytest.raises(ScoreFailed, match="continuous input"):
        Gain(batch_size=4).measure(Candidate(space, space.full()))
    with pytest.raises(ConfigError, match="needs continuous input, and 'toy/tokens' has none"):
        Scoring(Gain().named("scores/gain"), TokenSpace().named("toy/tokens"), resolve=no_other)


def test_a_masked_network_has_one() -> None:
    space = AttentionSpace(masked=True)
    assert math.isfinite(Gain(batch_size=8).measure(Candidate(space, AttentionSpace().full())))
