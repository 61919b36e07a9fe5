"""Scores of signs, against counts of patterns one by one."""

from __future__ import annotations

import pytest
import torch

from denas_core import Candidate, Outputs, PassSpec, ScoreFailed, Trace
from denas_scores.activations import LinearRegions, Swap

from .toy_spaces import ChainSpace, CNNSpace


def trace_of(*signs: torch.Tensor) -> Trace:
    nothing = torch.zeros(1)
    outputs = Outputs(features=nothing, logits={"logits": nothing})
    return Trace(spec=PassSpec(size=len(signs[0])), outputs=outputs, parameters={}, signs=signs)


@pytest.mark.parametrize("samples", [3, 4, 63, 64, 65, 130])
def test_swap_counts_each_pattern_of_a_unit_over_the_samples_once(samples: int) -> None:
    generator = torch.Generator().manual_seed(samples)
    units = torch.rand(samples, 40, generator=generator) > 0.5
    units = torch.cat([units, units[:, :7]], 1)
    expected = len({tuple(unit.tolist()) for unit in units.T})
    assert Swap().value(trace_of(units[:, :20], units[:, 20:])) == expected


def test_swap_of_a_network_is_that_of_its_signs() -> None:
    seen = Candidate(CNNSpace(), CNNSpace().full())
    score = Swap(batch_size=4)
    signs = torch.cat(seen.trace(score.passes()[0]).signs, 1)
    assert score.measure(seen) == len({tuple(unit.tolist()) for unit in signs.T}) <= 2**4


def test_samples_of_one_pattern_are_one_region() -> None:
    first = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 1], [0, 1]]).bool()
    second = torch.tensor([[1], [0], [1], [1], [1]]).bool()
    assert LinearRegions().value(trace_of(first)) == 3
    assert LinearRegions().value(trace_of(first, second)) == 4


@pytest.mark.parametrize("score", [Swap(), LinearRegions()])
def test_a_network_without_activation_functions_has_no_patterns(score: Swap | LinearRegions) -> None:
    with pytest.raises(ScoreFailed, match="no activation function"):
        score.measure(Candidate(ChainSpace(), ChainSpace().full()))
