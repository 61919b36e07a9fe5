"""Saliency against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from denas_core import Candidate, ScoreFailed
from denas_scores.saliency import Saliency

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace

pytestmark = pytest.mark.numerics


def test_two_linear_layers_worked_out_by_hand() -> None:
    """With |W1| = |W2| = 2, width 3 and two inputs of 1: R = 3 * 2 * (2 + 2) = 24, and each layer's sum is R."""
    space = ChainSpace(gain=2.0)
    assert Saliency().measure(Candidate(space, space.full())) == pytest.approx(math.log(48))


def test_every_layer_of_a_chain_carries_the_whole_output() -> None:
    """Sum |W * dR/dW| is R for each of the two layers, whatever the weights: conservation of synaptic saliency."""
    space = ChainSpace()
    candidate = Candidate(space, space.full())
    trace = candidate.trace(Saliency().passes()[0])
    output = float(trace.outputs.logits["logits"].sum())
    assert Saliency().measure(candidate) == pytest.approx(math.log(2 * output))


@pytest.mark.parametrize("space", [CNNSpace(), AttentionSpace(), AttentionSpace(fused=True)])
def test_it_is_the_sum_over_weights_and_their_gradients(space: CNNSpace | AttentionSpace) -> None:
    """By autograd, where the score has factors of the gradients of its linear layers."""
    candidate = Candidate(space, space.full())
    spec = dataclasses.replace(Saliency().passes()[0], gradients="weights", roles=())
    trace = candidate.trace(spec)
    total = 0.0
    for view in candidate.views():
        if view.is_feed_forward:
            product = view.of(trace.parameters[view.parameter]) * view.of(trace.gradients[view.parameter])
            total += float(product.abs().sum())
    assert Saliency().measure(candidate) == pytest.approx(math.log(total))
    assert all(float(parameter.min()) >= 0 for parameter in trace.parameters.values())


def test_overflow_is_a_failure_with_a_reason() -> None:
    space = ChainSpace(gain=1e200)
    with pytest.raises(ScoreFailed, match="not finite"):
        Saliency().measure(Candidate(space, space.full()))


def test_a_gain_that_float32_cannot_hold_is_scored() -> None:
    space = ChainSpace(gain=1e30)
    assert Saliency().measure(Candidate(space, space.full())) == pytest.approx(math.log(12e60), rel=1e-6)


def test_deep_positive_networks_do_not_depend_on_the_precision_outside() -> None:
    with torch.no_grad():
        first = Saliency().measure(Candidate(CNNSpace(), CNNSpace().full()))
    assert first == Saliency().measure(Candidate(CNNSpace(), CNNSpace().full()))
