"""The Zen score against a network whose batch norms have the statistics of the batch as their own."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn

from denas_core import Candidate, ScoreFailed
from denas_scores.zen import Zen

from .toy_spaces import ChainSpace, CNNSpace


def test_it_is_the_change_of_features_and_the_deviations_that_norms_take_away() -> None:
    space = CNNSpace()
    score = Zen(batch_size=6)
    seen = Candidate(space, space.full())
    clean, perturbed = score.passes()
    network = copy.deepcopy(seen.network(clean))
    assert not network.blocks[0].residual
    assert float(network.stem.weight.detach().std()) == pytest.approx(1, abs=0.2)
    x, moved = (seen.batch(spec).inputs["x"] for spec in (clean, perturbed))
    deviations: list[float] = []

    def take_statistics(module: Any, args: tuple[torch.Tensor, ...]) -> None:
        channels = args[0].transpose(0, 1).flatten(1)
        module.running_mean.copy_(channels.mean(1))
        module.running_var.copy_(channels.var(1, correction=0))
        deviations.append(math.sqrt(float(module.running_var.mean())))

    handles = [
        module.register_forward_pre_hook(take_statistics)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        features = network(x)[0]
        for handle in handles:
            handle.remove()
        change = (features - network(moved)[0]).abs().flatten(1).sum(1).mean()
    expected = math.log(float(change)) + sum(map(math.log, deviations))
    assert len(deviations) == 4
    assert score.measure(seen) == pytest.approx(expected, rel=1e-3)


def test_repeats_are_averaged() -> None:
    space = CNNSpace()
    once = Zen(batch_size=4).measure(Candidate(space, space.full()))
    twice = Zen(batch_size=4, repeats=2).measure(Candidate(space, space.full()))
    assert once != twice
    assert twice == pytest.approx(once, rel=0.5)


def test_a_network_without_batch_norms_fails() -> None:
    space = ChainSpace()
    with pytest.raises(ScoreFailed, match="no batch norm"):
        Zen(batch_size=4).measure(Candidate(space, space.full()))
