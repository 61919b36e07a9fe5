"""Scores of the gradient of a loss, each against autograd on the network itself or finite differences."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import Candidate, PassSpec, ProxyScore, ScoreFailed
from denas_core.seeding import derive_seed
from denas_core.values.passes import joined_passes
from denas_scores.gradients import (
    EffectiveParams,
    Fisher,
    GradNorm,
    Grasp,
    HeadImportance,
    Plain,
    Snip,
    Zico,
)
from denas_scores.wrcor import WRCor

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace

SIZE = 8


def candidate() -> Candidate:
    return Candidate(CNNSpace(), CNNSpace().full())


def labels(classes: int, shape: tuple[int, ...], spec: PassSpec) -> Tensor:
    seed = derive_seed(0, "labels", "logits", spec.repeat, spec.batch)
    return torch.randint(0, classes, shape, generator=torch.Generator().manual_seed(seed))


def trained(seen: Candidate, spec: PassSpec) -> tuple[nn.Module, Tensor, Tensor]:
    """Return a copy of the network as it is in training, its inputs and labels."""
    network = copy.deepcopy(seen.network(spec)).train()
    return network, seen.batch(spec).inputs["x"], labels(5, (spec.size,), spec)


def weights_of(network: nn.Module) -> list[nn.Parameter]:
    return [m.weight for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def gradients_of(seen: Candidate, spec: PassSpec) -> list[tuple[Tensor, Tensor]]:
    network, x, y = trained(seen, spec)
    weights = weights_of(network)
    gradients = torch.autograd.grad(F.cross_entropy(network(x)[1], y), weights)
    return [(w.detach(), g) for w, g in zip(weights, gradients, strict=True)]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (GradNorm(batch_size=SIZE), lambda w, g: g.norm()),
        (Snip(batch_size=SIZE), lambda w, g: (w * g).abs().sum()),
        (Plain(batch_size=SIZE), lambda w, g: (w * g).sum()),
    ],
    ids=["grad norm", "snip", "plain"],
)
def test_sums_over_weights_are_those_of_autograd_on_the_network_in_training(
    score: ProxyScore, expected: Any
) -> None:
    seen = candidate()
    pairs = gradients_of(seen, score.passes()[0])
    total = sum(float(expected(w, g)) for w, g in pairs)
    assert score.measure(seen) == pytest.approx(total, rel=1e-3, abs=1e-5)


def test_repeats_are_averaged() -> None:
    score = GradNorm(batch_size=SIZE, repeats=2)
    values = [sum(float(g.norm()) for _, g in gradients_of(candidate(), spec)) for spec in score.passes()]
    assert values[0] != values[1]
    assert score.measure(candidate()) == pytest.approx(sum(values) / 2, rel=1e-3)


def test_grasp_is_the_change_of_the_gradient_along_itself() -> None:
    """H g by a central difference of the gradient in float64."""
    score = Grasp(batch_size=SIZE)
    seen = candidate()
    network, x, y = trained(seen, score.passes()[0])
    network, x = network.double(), x.double()
    weights = weights_of(network)

    def gradients() -> list[Tensor]:
        return list(torch.autograd.grad(F.cross_entropy(network(x)[1], y), weights))

    def moved(step: float) -> list[Tensor]:
        with torch.no_grad():
            for weight, start, direction in zip(weights, starts, directions, strict=True):
                weight.copy_(start + step * direction)
        return gradients()

    starts, directions = [w.detach().clone() for w in weights], gradients()
    ahead, behind = moved(1e-6), moved(-1e-6)
    expected = -sum(float((w * (a - b)).sum()) / 2e-6 for w, a, b in zip(starts, ahead, behind, strict=True))
    assert abs(expected) > 1e-3
    assert score.measure(seen) == pytest.approx(expected, rel=1e-2)


def test_grasp_looks_through_attention() -> None:
    space = AttentionSpace(fused=True)
    assert np.isfinite(Grasp(batch_size=4).measure(Candidate(space, space.full())))


def test_fisher_is_the_mean_square_of_each_channels_output_times_its_gradient() -> None:
    score = Fisher(batch_size=SIZE)
    seen = candidate()
    network, x, y = trained(seen, score.passes()[0])
    kept: list[Tensor] = []

    def keep(_: Any, __: Any, output: Tensor) -> Tensor:
        copied = output.clone()
        copied.retain_grad()
        kept.append(copied)
        # Another copy, which an activation in place may change.
        return copied.clone()

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(keep)
    F.cross_entropy(network(x)[1], y).backward()
    total = 0.0
    for out in kept:
        assert out.grad is not None
        each = (out * out.grad).detach().reshape(SIZE, out.shape[1], -1).sum(2)
        total += float((each**2).mean(0).sum()) / 2
    assert score.measure(seen) == pytest.approx(total, rel=1e-3)


def test_zico_is_a_sum_of_logs_over_layers_of_means_by_deviations() -> None:
    score = Zico(batch_size=SIZE, batches=3)
    seen = candidate()
    batches = [gradients_of(seen, spec) for spec in score.passes()]
    assert len(batches) == 3
    total = 0.0
    for layer in range(len(batches[0])):
        stacked = np.stack([batch[layer][1].double().numpy() for batch in batches])
        deviations = stacked.std(0)
        kept = deviations > 0
        total += np.log((np.abs(stacked).mean(0)[kept] / deviations[kept]).sum())
    assert score.measure(seen) == pytest.approx(total, rel=1e-3)


def test_batches_have_the_same_weights_and_other_inputs() -> None:
    first, second = Zico(batch_size=SIZE).passes()
    seen = candidate()
    assert seen.network(first) is seen.network(second)
    assert not torch.equal(seen.batch(first).inputs["x"], seen.batch(second).inputs["x"])


def test_wrcor_weighs_correlations_by_the_blocks_before() -> None:
    score = WRCor(batch_size=SIZE)
    seen = candidate()
    network, x, y = trained(seen, score.passes()[0])
    kept: list[tuple[int, Tensor]] = []

    def activation(block: int, tensor: Tensor) -> Tensor:
        copied = tensor.clone()
        copied.retain_grad()
        kept.append((block, copied))
        return F.relu(copied)

    features = activation(0, network.stem(x))
    for number, block in enumerate(network.blocks):
        inner = activation(number, block.first_norm(block.first(features)))
        inner = block.second_norm(block.second(inner))
        features = activation(number, inner + block.shortcut(features))
    F.cross_entropy(network.head(network.dilated(features).mean((2, 3))), y).backward()
    total = np.zeros((SIZE, SIZE))
    for number, tensor in kept:
        for matrix in (tensor.detach(), tensor.grad):
            assert matrix is not None
            total += 2**number * np.abs(np.corrcoef(matrix.reshape(SIZE, -1).double().numpy()))
    assert score.measure(seen) == pytest.approx(np.linalg.slogdet(total)[1], rel=1e-3)


@pytest.mark.parametrize("masked", [False, True])
def test_head_importance_counts_projections_alone_and_the_loss_every_position(masked: bool) -> None:
    space = AttentionSpace(masked=masked)
    score = HeadImportance(batch_size=4)
    seen = Candidate(space, space.full())
    spec = score.passes()[0]
    network = copy.deepcopy(seen.network(spec))
    batch = seen.batch(spec)
    tokens = network(batch.inputs["x"])
    losses = F.cross_entropy(tokens.transpose(1, 2), labels(tokens.shape[2], (4, 5), spec), reduction="none")
    losses[:, 3:] *= 0 if masked else 1
    weights = [
        getattr(block.attention, name).weight for block in network.blocks for name in ("q", "k", "v", "out")
    ]
    gradients = torch.autograd.grad(losses.sum() / (4 * (3 if masked else 5)), weights)
    expected = sum(float((w * g).detach().abs().sum()) for w, g in zip(weights, gradients, strict=True))
    assert score.measure(seen) == pytest.approx(expected, rel=1e-3)


class DeadBranch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unheard, self.unfed = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.head = nn.Linear(3, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.used(x) + 0 * self.unheard(x) + self.unfed(0 * x)
        return y, self.head(y.mean((2, 3)))


@dataclasses.dataclass(kw_only=True)
class DeadSpace(CNNSpace):
    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return DeadBranch()


def test_weights_that_are_not_fed_or_not_heard_are_no_effective_parameters() -> None:
    space = DeadSpace()
    assert EffectiveParams(batch_size=4).measure(Candidate(space, space.full())) == 81 + 15


def test_scores_of_a_loss_share_one_run() -> None:
    scores = (GradNorm(), Snip(), Plain(), Grasp(), Fisher(), WRCor(), EffectiveParams())
    assert len(joined_passes(spec for score in scores for spec in score.passes())) == 1
    with_zico = (*scores, Zico())
    assert len(joined_passes(spec for score in with_zico for spec in score.passes())) == 2


def test_what_scores_share_does_not_change_their_values() -> None:
    scores = (GradNorm(batch_size=4), Fisher(batch_size=4), Grasp(batch_size=4), WRCor(batch_size=4))
    shared = Candidate(
        CNNSpace(), CNNSpace().full(), passes=[spec for score in scores for spec in score.passes()]
    )
    for score in scores:
        assert score.measure(shared) == pytest.approx(score.measure(candidate()), rel=1e-4)
    assert len(shared.pass_seconds) == 1


def test_a_network_with_one_output_has_no_cross_entropy_but_another_read_out() -> None:
    seen = Candidate(ChainSpace(), ChainSpace().full())
    with pytest.raises(ScoreFailed, match="single output"):
        GradNorm().measure(seen)
    assert GradNorm(readout="sum").measure(seen) > 0
