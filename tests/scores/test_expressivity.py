"""Expressivity against its formula."""

from __future__ import annotations

import math

import pytest
import torch

from denas_core import Candidate, Outputs, PassSpec, ScoreFailed
from denas_scores.expressivity import Expressivity, gaussian_complexity

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace

pytestmark = pytest.mark.numerics


def test_it_is_the_log_of_the_mean_over_samples_of_the_summed_change() -> None:
    clean = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    perturbed = torch.tensor([[1.5, 1.0], [0.0, 0.5]])
    value = gaussian_complexity(Outputs(features=clean, logits={}), Outputs(features=perturbed, logits={}))
    assert value == pytest.approx(math.log((1.5 + 0.5) / 2))


def test_masked_positions_do_not_count() -> None:
    clean, perturbed = torch.zeros(1, 2, 3), torch.ones(1, 2, 3)
    mask = {"features": torch.tensor([[True, False]])}
    value = gaussian_complexity(
        Outputs(features=clean, logits={}, masks=mask), Outputs(features=perturbed, logits={}, masks=mask)
    )
    assert value == pytest.approx(math.log(3))


def test_for_a_linear_network_it_is_the_size_of_the_mapped_perturbation() -> None:
    space = ChainSpace()
    candidate = Candidate(space, space.full())
    noisy, clean = PassSpec(size=64, perturbation=0.01), PassSpec(size=64)
    weights = candidate.weights(clean)
    change = candidate.batch(noisy).inputs["x"] - candidate.batch(clean).inputs["x"]
    mapped = change.double() @ weights["first.weight"].double().T @ weights["second.weight"].double().T
    expected = math.log(float(mapped.abs().sum(1).mean()))
    assert Expressivity().measure(candidate) == pytest.approx(expected, abs=1e-4)


def test_a_masked_space_scores_lower_than_an_unmasked_one() -> None:
    values = []
    for masked in (False, True):
        space = AttentionSpace(masked=masked).named("toy/attention")
        values.append(Expressivity(batch_size=8).measure(Candidate(space, AttentionSpace().full())))
    assert values[1] < values[0] - 0.2


def test_it_fails_where_nothing_changes() -> None:
    same = Outputs(features=torch.zeros(2, 3), logits={})
    with pytest.raises(ScoreFailed, match=r"the features change by 0\.0"):
        gaussian_complexity(same, same)


def test_it_needs_two_forward_runs_of_which_complexity_shares_one() -> None:
    from denas_scores.complexity import Complexity

    space = CNNSpace()
    scores = (Expressivity(batch_size=4), Complexity(batch_size=4))
    candidate = Candidate(space, space.full(), passes=[spec for s in scores for spec in s.passes()])
    together = [score.measure(candidate) for score in scores]
    assert len(candidate.pass_seconds) == 2
    assert together == [score.measure(Candidate(space, space.full())) for score in scores]
