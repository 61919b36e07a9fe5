"""Parameter and FLOP counts as scores."""

from __future__ import annotations

import pytest

from denas_core import Candidate
from denas_scores.baselines import Flops, Params

from .toy_spaces import ChainSpace


def test_params_and_flops_of_a_chain_counted_by_hand() -> None:
    """Two inputs, width 3, one output: 6 + 3 weights, and as many multiply-adds of two operations each."""
    candidate = Candidate(ChainSpace(), ChainSpace().full())
    assert Params().measure(candidate) == 9
    assert Flops().measure(candidate) == pytest.approx(18)
