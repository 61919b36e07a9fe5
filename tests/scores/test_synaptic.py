"""Scores of the all-positive network, and of the size of weights, by hand and by autograd."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from denas_core import Candidate
from denas_core.passes.inputs import standard_normal
from denas_core.seeding import derive_seed
from denas_core.values.passes import joined_passes
from denas_scores.synaptic import DSS, L2Norm, LogSynflow, Synflow

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace


def test_a_chain_worked_out_by_hand() -> None:
    """Weights of 2, width 3, two inputs of 1: gradients of 2 by 6 weights, of 4 by the others."""
    chain = Candidate(ChainSpace(gain=2.0), ChainSpace().full())
    assert Synflow().measure(chain) == pytest.approx(math.log(48))
    assert LogSynflow().measure(chain) == pytest.approx(12 * math.log(3) + 6 * math.log(5))
    assert L2Norm().measure(chain) == pytest.approx(math.sqrt(24) + math.sqrt(12))


def test_synflow_of_a_cnn_is_that_of_autograd_without_norms() -> None:
    space = CNNSpace()
    seen = Candidate(space, space.full())
    network = copy.deepcopy(seen.network(Synflow().passes()[0])).double()
    for block in network.blocks:
        block.first_norm, block.second_norm = nn.Identity(), nn.Identity()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.abs_()
    weights = [m.weight for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    x = torch.ones(1, 3, 9, 9, dtype=torch.float64)
    gradients = torch.autograd.grad(network(x)[1].sum(), weights)
    pairs = list(zip(weights, gradients, strict=True))
    assert Synflow().measure(seen) == pytest.approx(math.log(sum(float((w * g).sum()) for w, g in pairs)))
    expected = sum(float((w * (g + 1).log()).sum()) for w, g in pairs)
    assert LogSynflow().measure(seen) == pytest.approx(expected)


def test_scores_of_the_positive_network_share_one_run() -> None:
    assert len(joined_passes([*Synflow().passes(), *LogSynflow().passes()])) == 1


def test_dss_takes_nuclear_norms_of_attention_and_products_elsewhere() -> None:
    space = AttentionSpace()
    seen = Candidate(space, space.full())
    network = copy.deepcopy(seen.network(DSS().passes()[0]))
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.abs_()
    outputs = network(torch.ones(1, 5, 6))
    cotangent = standard_normal(
        tuple(outputs.shape[1:]), seed=derive_seed(0, "cotangent", "logits"), double=True
    )
    names, weights = zip(
        *((n, m.weight) for n, m in network.named_modules() if isinstance(m, nn.Linear)), strict=True
    )
    gradients = torch.autograd.grad((outputs * cotangent).sum(), weights)
    total = 0.0
    for name, weight, gradient in zip(names, weights, gradients, strict=True):
        if "attention." in name:
            total += float(torch.linalg.svdvals(weight).sum() * torch.linalg.svdvals(gradient).sum())
        else:
            total += float((weight * gradient).detach().abs().sum())
    assert DSS().measure(seen) == pytest.approx(total, rel=1e-3)


def test_the_norm_of_weights_runs_nothing() -> None:
    space = CNNSpace()
    seen = Candidate(space, space.full())
    value = L2Norm().measure(seen)
    modules = seen.network(Synflow().passes()[0]).modules()
    norms = [float(m.weight.norm()) for m in modules if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert value == pytest.approx(sum(norms))
    assert not seen.pass_seconds
