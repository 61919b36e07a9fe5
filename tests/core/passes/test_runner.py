"""Passes: what they compute, what they share, and what they leave as it was."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import Batch, Candidate, Knob, PassSpec, ScoreFailed, SearchSpace, continuous_batch

pytestmark = pytest.mark.numerics


class Small(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.channel_norm = nn.GroupNorm(2, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        if self.kind == "drawing":
            x = x + torch.randn_like(x)
        x = self.norm(self.conv(x))
        if self.kind == "squared":
            x = self.channel_norm(x**2)
            return x, self.head(x[:, :, 0, 0])
        if self.kind == "infinite":
            x = x / 0
        if self.kind == "greedy":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 EiB")
        if self.kind == "broken":
            raise RuntimeError("shapes do not fit")
        x = self.channel_norm(x)
        return x, self.head(x.mean((2, 3)))


@dataclasses.dataclass(kw_only=True)
class SmallSpace(SearchSpace):
    kind: str = "plain"

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("unused", (0, 1)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Small(self.kind)

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((3, 6, 6), size, seed=seed, kind=kind)


@dataclasses.dataclass(kw_only=True)
class MaskedSpace(SmallSpace):
    """Its last sample does not count."""

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        mask = torch.arange(size) < size - 1
        return dataclasses.replace(super().batch(size, seed=seed, kind=kind), masks={"logits": mask})


def candidate(kind: str = "plain", *, index: int = -1, **arguments: Any) -> Candidate:
    space = SmallSpace(kind=kind)
    arch = space.full() if index == -1 else space.smallest()
    assert arch is not None
    return Candidate(space, arch, **arguments)


def plain_norm(x: Tensor) -> Tensor:
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def by_hand(runner: Candidate, spec: PassSpec, normalise: Any = plain_norm) -> Tensor:
    weights = runner.weights(spec)
    x = runner.batch(spec).inputs["x"]
    x = normalise(F.conv2d(x, weights["conv.weight"], weights["conv.bias"], padding=1))
    return F.group_norm(x, 2)


def test_batch_norm_uses_the_statistics_of_the_batch() -> None:
    spec = PassSpec(size=5)
    torch.testing.assert_close(
        candidate().trace(spec).outputs.features, by_hand(candidate(), spec), rtol=1e-4, atol=1e-5
    )


def test_bypass_makes_every_norm_the_identity() -> None:
    spec = PassSpec(size=5, norm="bypass")
    runner = candidate()
    weights = runner.weights(spec)
    expected = F.conv2d(
        runner.batch(spec).inputs["x"], weights["conv.weight"], weights["conv.bias"], padding=1
    )
    torch.testing.assert_close(runner.trace(spec).outputs.features, expected)


def test_a_perturbed_pass_keeps_the_statistics_of_the_batch_without_noise() -> None:
    spec = PassSpec(size=5, perturbation=0.5)
    runner = candidate()
    weights = runner.weights(spec)
    clean = runner.batch(PassSpec(size=5)).inputs["x"]
    z = F.conv2d(clean, weights["conv.weight"], weights["conv.bias"], padding=1)
    mean, variance = z.mean((0, 2, 3), keepdim=True), z.var((0, 2, 3), keepdim=True, correction=0)
    expected = by_hand(runner, spec, lambda x: (x - mean) / (variance + 1e-5).sqrt())
    torch.testing.assert_close(runner.trace(spec).outputs.features, expected, rtol=1e-4, atol=1e-5)
    assert not torch.equal(runner.batch(spec).inputs["x"], clean)


def test_a_perturbed_pass_with_coupled_norms_uses_its_own_statistics() -> None:
    spec = PassSpec(size=5, perturbation=0.5, norm="coupled")
    torch.testing.assert_close(
        candidate().trace(spec).outputs.features, by_hand(candidate(), spec), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("norm", "couples"), [("batch", False), ("coupled", True)])
def test_samples_couple_only_under_coupled_norms(norm: Any, couples: bool) -> None:
    """Under held statistics, the gradient of all read-outs at an activation is each sample's own."""
    spec = PassSpec(size=4, norm=norm, dtype="float64", readout="cotangent", gradients="layers")
    runner = candidate()
    layers = {call.parameter: call for call in runner.trace(spec).layers}
    call = layers["conv.weight"]
    separate = torch.stack(
        [
            torch.nn.grad.conv2d_weight(  # type: ignore[no-untyped-call]
                call.inputs[[i]], (4, 3, 3, 3), call.output_gradient[[i]], padding=1
            )
            for i in range(4)
        ]
    )
    own = runner.trace(dataclasses.replace(spec, gradients="samples")).gradients["conv.weight"]
    assert torch.allclose(separate, own, rtol=1e-9, atol=1e-12) != couples
    torch.testing.assert_close(separate.sum(0), own.sum(0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("norm", ["batch", "coupled"])
@pytest.mark.parametrize("name", ["conv.weight", "norm.weight", "norm.bias", "head.weight"])
def test_gradients_agree_with_finite_differences(norm: Any, name: str) -> None:
    """Held statistics are constants, so the difference quotient replays those of the unchanged weights."""
    spec = PassSpec(size=4, norm=norm, dtype="float64", readout="sum", gradients="weights")
    # The plain sum of a normalised map hardly depends on what came before; that of its square does.
    runner = candidate("squared")
    weights = runner.weights(spec)
    x = runner.batch(spec).inputs["x"]
    held = F.conv2d(x, weights["conv.weight"], weights["conv.bias"], padding=1)
    direction = torch.randn(
        weights[name].shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )

    def readout(step: float) -> Tensor:
        w = {**weights, name: weights[name] + step * direction}
        z = F.conv2d(x, w["conv.weight"], w["conv.bias"], padding=1)
        source = held if norm == "batch" else z
        mean, variance = source.mean((0, 2, 3)), source.var((0, 2, 3), correction=0)
        y = F.batch_norm(z, mean, variance, w["norm.weight"], w["norm.bias"], training=False) ** 2
        y = F.group_norm(y, 2, w["channel_norm.weight"], w["channel_norm.bias"])
        return F.linear(y[:, :, 0, 0], w["head.weight"], w["head.bias"]).sum()

    numeric = (readout(1e-5) - readout(-1e-5)) / 2e-5
    gradient = runner.trace(spec).gradients[name]
    torch.testing.assert_close((gradient * direction).sum(), numeric, rtol=1e-6, atol=1e-8)


def test_weights_do_not_depend_on_inputs_precision_or_read_out() -> None:
    runner = candidate(seed=3)
    reference = runner.weights(PassSpec())
    for spec in (
        PassSpec(size=2, inputs="ones", readout="sum", gradients="weights"),
        PassSpec(norm="bypass", perturbation=0.1),
    ):
        assert all(torch.equal(t, reference[n]) for n, t in candidate(seed=3).weights(spec).items())
    double = candidate(seed=3).weights(PassSpec(dtype="float64"))
    assert all(torch.equal(t.float(), reference[n].float()) for n, t in double.items())
    other = candidate(seed=3).weights(PassSpec(repeat=1))
    assert not torch.equal(other["conv.weight"], reference["conv.weight"])


def test_neither_earlier_passes_nor_the_default_precision_change_what_is_drawn() -> None:
    spec = PassSpec(size=3, perturbation=0.1)
    expected = candidate().trace(spec).outputs.features
    after_double = candidate()
    after_double.trace(dataclasses.replace(spec, dtype="float64"))
    assert torch.equal(after_double.trace(spec).outputs.features, expected)
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(candidate().trace(spec).outputs.features, expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_every_candidate_of_a_run_sees_the_same_batch() -> None:
    spec = PassSpec(size=3, perturbation=0.1)
    first, second, other = (
        runner.batch(spec).inputs["x"]
        for runner in (candidate(seed=1), candidate(seed=1, index=0), candidate(seed=2))
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_normal_weights_are_standard_normal_matrices_with_biases_of_zero() -> None:
    weights = candidate().weights(PassSpec(weights="normal"))
    assert 0.7 < weights["conv.weight"].std() < 1.3
    assert torch.equal(weights["conv.bias"], torch.zeros(4))
    assert torch.equal(weights["norm.weight"], torch.ones(4))


def test_magnitudes_replace_weights_and_buffers() -> None:
    runner = candidate()
    signed = runner.weights(PassSpec())
    for name, tensor in runner.weights(PassSpec(magnitude=True)).items():
        assert torch.equal(tensor, signed[name].abs())


def test_a_pass_leaves_global_state_alone() -> None:
    """The same bits, whatever was drawn before, and the next global draw is what it would have been."""

    def digits() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    def reseed() -> None:
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)

    spec = PassSpec(size=3, dtype="float64", readout="cotangent", gradients="weights")
    reseed()
    expected = digits()
    first = candidate().trace(spec)
    digits()
    reseed()
    with torch.no_grad():
        second = candidate().trace(spec)
        assert not torch.is_grad_enabled()
    assert digits() == expected
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(first.outputs.features, second.outputs.features)
    assert all(torch.equal(g, second.gradients[n]) for n, g in first.gradients.items())


def test_a_network_that_draws_in_eval_mode_is_reproducible() -> None:
    first = candidate("drawing").trace(PassSpec(size=2)).outputs.features
    torch.rand(7)
    state = torch.get_rng_state()
    assert torch.equal(first, candidate("drawing").trace(PassSpec(size=2)).outputs.features)
    assert torch.equal(state, torch.get_rng_state())


def test_a_pass_changes_neither_weights_nor_running_statistics() -> None:
    runner = candidate()
    before = {n: t.clone() for n, t in runner.network(PassSpec()).state_dict().items()}
    runner.trace(PassSpec(size=3, magnitude=True, readout="sum", gradients="weights"))
    runner.trace(PassSpec(size=3, norm="coupled", readout="sum", gradients="layers"))
    after = runner.network(PassSpec()).state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_planned_pass_serves_the_smaller_one_it_covers() -> None:
    small = PassSpec(size=3)
    large = PassSpec(size=3, readout="cotangent", gradients="layers")
    shared = candidate(passes=[small, large])
    assert shared.trace(small) is shared.trace(large)
    assert list(shared.pass_seconds) == [large]
    alone = candidate().trace(small)
    assert torch.equal(alone.outputs.features, shared.trace(small).outputs.features)


def test_recorded_layers_give_the_gradients_of_the_weights() -> None:
    spec = PassSpec(size=3, readout="cotangent", gradients="layers")
    runner = candidate()
    gradients = runner.trace(dataclasses.replace(spec, gradients="weights")).gradients
    layers = {call.parameter: call for call in runner.trace(spec).layers}
    head, conv = layers["head.weight"], layers["conv.weight"]
    torch.testing.assert_close(head.output_gradient.T @ head.inputs, gradients["head.weight"])
    by_conv = torch.nn.grad.conv2d_weight(  # type: ignore[no-untyped-call]
        conv.inputs, (4, 3, 3, 3), conv.output_gradient, padding=1
    )
    torch.testing.assert_close(by_conv, gradients["conv.weight"], rtol=1e-4, atol=1e-5)


def test_masked_positions_do_not_reach_the_read_out() -> None:
    runner = candidate()
    space = MaskedSpace()
    masked = Candidate(space, runner.arch)
    spec = PassSpec(size=3, readout="sum", gradients="samples")
    gradients = masked.trace(spec).gradients["head.bias"]
    assert torch.equal(gradients, torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("infinite", "features are not finite"), ("greedy", "out of memory on cpu at batch size 2")],
)
def test_a_network_that_cannot_be_run_fails_its_score_with_a_reason(kind: str, reason: str) -> None:
    with pytest.raises(ScoreFailed, match=reason):
        candidate(kind).trace(PassSpec(size=2))


def test_other_errors_of_a_network_are_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        candidate("broken").trace(PassSpec(size=2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("gradients", ["layers", "weights"])
def test_cpu_and_gpu_agree(gradients: Any) -> None:
    spec = PassSpec(size=4, readout="cotangent", gradients=gradients)
    state = torch.cuda.get_rng_state()
    cpu, gpu = candidate().trace(spec), candidate(device="cuda").trace(spec)
    assert torch.equal(state, torch.cuda.get_rng_state())
    torch.testing.assert_close(gpu.outputs.features.cpu(), cpu.outputs.features, rtol=1e-3, atol=1e-4)
    for name, gradient in cpu.gradients.items():
        torch.testing.assert_close(gpu.gradients[name].cpu(), gradient, rtol=1e-3, atol=1e-3)
    for one, other in zip(cpu.layers, gpu.layers, strict=True):
        torch.testing.assert_close(other.output_gradient.cpu(), one.output_gradient, rtol=1e-3, atol=1e-3)
