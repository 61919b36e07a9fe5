"""Passes without norms: attention weights count as constants, however a network writes its attention."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import Batch, Candidate, Knob, PassSpec, ScoreFailed, SearchSpace, continuous_batch

pytestmark = pytest.mark.numerics

SPEC = PassSpec(size=2, norm="bypass", dtype="float64", readout="sum", gradients="weights")


class Attention(nn.Module):
    def __init__(self, kind: str, gain: float) -> None:
        super().__init__()
        self.kind = kind
        self.gain = gain
        self.norm = nn.LayerNorm(4)
        self.multi = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.gain * self.norm(x)
        if self.kind == "module":
            return self.multi(x, x, x, need_weights=False)[0].mean(1)
        if self.kind == "module with weights":
            return self.multi(x, x, x)[0].mean(1)
        query, key, value = (
            part.unflatten(-1, (2, 2)).transpose(1, 2)
            for part in F.linear(x, self.multi.in_proj_weight, self.multi.in_proj_bias).chunk(3, -1)
        )
        logits = query @ key.transpose(-1, -2) * 2**-0.5
        attention = {
            "function": lambda: F.softmax(logits, dim=-1) @ value,
            "torch": lambda: torch.softmax(input=logits, dim=-1) @ value,
            "method": lambda: logits.softmax(-1) @ value,
            "fused": lambda: F.scaled_dot_product_attention(query, key, value=value),
            "by hand": lambda: logits.softmax(-1).detach() @ value,
            "output": lambda: torch.softmax(value, -1),
        }[self.kind]()
        if self.kind == "output":
            return attention
        return self.multi.out_proj(attention.transpose(1, 2).flatten(2)).mean(1)


@dataclasses.dataclass(kw_only=True)
class AttentionSpace(SearchSpace):
    kind: str = "function"
    gain: float = 1.0

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (4,)),)

    def build(self, arch: Any, *, head: Any = None, variant: str = "full") -> nn.Module:
        return Attention(self.kind, self.gain)

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((3, 4), size, seed=seed, kind=kind)


def candidate(kind: str, gain: float = 1.0) -> Candidate:
    space = AttentionSpace(kind=kind, gain=gain).named("toy/attention")
    full = space.full()
    assert full is not None
    # The same weights for every kind.
    return Candidate(space, dataclasses.replace(full, key="same"))


def by_hand(gain: float = 1.0) -> dict[str, Tensor]:
    runner = candidate("by hand", gain)
    network = Attention("by hand", gain).double()
    network.norm = nn.Identity()  # type: ignore[assignment]
    weights = {k: v for k, v in runner.weights(SPEC).items() if not k.startswith("norm.")}
    network.load_state_dict(weights)
    network(runner.batch(SPEC).inputs["x"]).sum().backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


@pytest.mark.parametrize("kind", ["function", "torch", "method", "fused", "module", "module with weights"])
def test_gradients_do_not_pass_through_the_softmax(kind: str) -> None:
    gradients = candidate(kind).trace(SPEC).gradients
    for name, expected in by_hand().items():
        torch.testing.assert_close(gradients[name], expected)
    assert not gradients["multi.in_proj_weight"][:8].any()
    assert gradients["multi.in_proj_weight"][8:].all()


@pytest.mark.parametrize("kind", ["function", "fused", "module"])
def test_logits_beyond_all_bounds_leave_finite_gradients(kind: str) -> None:
    gradients = candidate(kind, 1e30).trace(SPEC).gradients
    for name, expected in by_hand(1e30).items():
        torch.testing.assert_close(gradients[name], expected)


def test_a_network_that_ends_in_a_softmax_has_no_gradient() -> None:
    gradients = candidate("output").trace(SPEC).gradients
    assert not any(gradient.any() for gradient in gradients.values())


def test_other_passes_differentiate_the_softmax() -> None:
    spec = dataclasses.replace(SPEC, norm="batch", readout="cotangent")
    assert candidate("fused").trace(spec).gradients["multi.in_proj_weight"][:8].any()


class Gated(nn.Module):
    """Residual blocks that multiply features by each other, each behind an RMS norm."""

    def __init__(self, size_of: Any) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(4)
        self.layers = nn.ModuleList(nn.Linear(4, 4, bias=False) for _ in range(24))
        self.size_of = size_of

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            h = self.norm(x) if self.size_of is None else self.norm.weight * x / self.size_of(x)
            x = x + layer(h) * layer(h)
        return x.mean(1)


@dataclasses.dataclass(kw_only=True)
class GatedSpace(AttentionSpace):
    def build(self, arch: Any, *, head: Any = None, variant: str = "full") -> nn.Module:
        return Gated({"function": None, "by hand": held_size, "nothing": lambda x: 1.0}[self.kind])


def held_size(x: Tensor) -> Tensor:
    return (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt().detach()


def gated(kind: str) -> Candidate:
    space = GatedSpace(kind=kind).named("toy/gated")
    full = space.full()
    assert full is not None
    return Candidate(space, dataclasses.replace(full, key="same"))


def test_an_rms_norm_divides_by_a_constant_so_that_gated_layers_stay_finite() -> None:
    spec = dataclasses.replace(SPEC, magnitude=True, inputs="ones")
    gradients = gated("function").trace(spec).gradients
    expected = gated("by hand").trace(spec).gradients
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name])
        assert bool(torch.isfinite(gradient).all()) and gradient.any()
    with pytest.raises(ScoreFailed, match="features are not finite"):
        gated("nothing").trace(spec)
