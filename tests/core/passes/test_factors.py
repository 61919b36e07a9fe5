"""Gradients as factors, and in parts of a batch, against those that autograd gives of the whole."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import Batch, Candidate, Knob, PassSpec, SearchSpace, WeightView
from denas_core.passes.inputs import POSITIONS_AT_ONCE, parts_of
from denas_core.values.passes import GradientFactors, Trace

pytestmark = pytest.mark.numerics

SPEC = PassSpec(inputs="ones", size=5, dtype="float64", readout="cotangent", gradients="factors")
WIDTH = 8


class Uses(nn.Module):
    """Uses its matrix in one way, between an embedding and a layer norm."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.embed = nn.Embedding(40, WIDTH)
        self.inner = nn.Linear(WIDTH, WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=way == "attention, samples first")
        self.batch_norm = nn.BatchNorm1d(WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.way = way

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        weight, bias = self.inner.weight, self.inner.bias
        if self.way == "linear":
            x = torch.tanh(self.inner(x))
        elif self.way == "twice":
            x = self.inner(torch.tanh(self.inner(x)))
        elif self.way == "activated in place":
            x = F.relu_(self.inner(x))
        elif self.way == "stored as (in, out)":
            x = torch.addmm(bias, x.flatten(0, 1), weight).view(x.shape)
        elif self.way == "both ways":
            x = x @ weight + self.inner(x)
        elif self.way == "with a factor":
            x = torch.addmm(bias, x.flatten(0, 1), weight, alpha=3).view(x.shape)
        elif self.way == "as a layer and by itself":
            x = self.inner(x) + torch.einsum("npi,oi->npo", x, weight.sigmoid())
        elif self.way == "by a part of it":
            x = torch.cat([F.linear(x, weight[:3]), F.linear(x, weight[3:])], -1)
        elif self.way == "tied to the embedding":
            x = F.linear(self.inner(x), self.embed.weight)[..., :WIDTH]
        elif self.way.startswith("attention"):
            first = self.attention.batch_first
            x = x if first else x.transpose(0, 1)
            x = self.attention(x, x, x, need_weights=False)[0]
            x = x if first else x.transpose(0, 1)
        elif self.way == "normalised over the batch":
            x = self.batch_norm(self.inner(x).transpose(1, 2)).transpose(1, 2) ** 2
        return self.norm(x)


@dataclasses.dataclass(kw_only=True)
class TokenSpace(SearchSpace):
    way: str = "linear"
    tokens: int = 4

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("unused", (0,)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        return Uses(self.way)

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        ids = (39 - torch.arange(size) % 40)[:, None] - torch.arange(self.tokens) % 3
        mask = torch.arange(self.tokens) < self.tokens - 1
        masks = {"logits": mask.expand(size, -1)}
        return Batch(inputs={"ids": ids.clamp(min=0)}, masks=masks, positions=self.tokens)


WAYS = [
    *("linear", "twice", "activated in place", "stored as (in, out)", "both ways", "with a factor", "unused"),
    *("as a layer and by itself", "by a part of it", "tied to the embedding", "attention, samples first"),
    *("attention, positions first", "normalised over the batch"),
]


def candidate(way: str = "linear", **options: Any) -> Candidate:
    space = TokenSpace(way=way, **options)
    return Candidate(space, space.full())  # type: ignore[arg-type]


def whole(trace: Trace, name: str, *, transposed: bool = False) -> Tensor:
    if name in trace.gradients:
        return trace.gradients[name]
    product = trace.factors[name].product()
    return product.T if transposed else product


@pytest.mark.parametrize("tokens", [1, 4, 300])
@pytest.mark.parametrize("way", WAYS)
def test_factors_and_gradients_are_those_of_autograd(way: str, tokens: int) -> None:
    """One sample at a time by the slow way, which neither records layers nor runs a batch in parts."""
    runner = candidate(way, tokens=tokens)
    trace = runner.trace(SPEC)
    samples = runner.trace(dataclasses.replace(SPEC, gradients="samples")).gradients
    assert {*trace.gradients, *trace.factors} == samples.keys()
    assert not trace.gradients.keys() & trace.factors.keys()
    for name, gradient in samples.items():
        found = whole(trace, name, transposed=way == "stored as (in, out)")
        torch.testing.assert_close(found, gradient.sum(0), rtol=1e-9, atol=1e-12)


def test_a_recorded_layer_may_be_activated_in_place() -> None:
    spec = dataclasses.replace(SPEC, gradients="layers")
    runner = candidate("activated in place")
    (call,) = runner.trace(spec).layers
    gradient = call.output_gradient.flatten(0, 1).T @ call.inputs.flatten(0, 1)
    expected = runner.trace(dataclasses.replace(spec, gradients="weights")).gradients["inner.weight"]
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("gradients", ["weights", "factors"])
@pytest.mark.parametrize("way", ["linear", "normalised over the batch"])
def test_a_batch_in_parts_is_the_batch(way: str, gradients: Any) -> None:
    """A batch norm couples samples, which cannot be taken apart then."""
    runner, spec = candidate(way, tokens=300), dataclasses.replace(SPEC, gradients=gradients)
    assert len(parts_of(runner.batch(spec), 5)) > 1
    forward = runner.trace(dataclasses.replace(spec, readout="none", gradients="none")).outputs
    outputs = candidate(way, tokens=300).trace(spec).outputs
    torch.testing.assert_close(outputs.features, forward.features)
    torch.testing.assert_close(outputs.logits["logits"], forward.logits["logits"])
    assert torch.equal(outputs.masks["logits"], forward.masks["logits"])


def test_parts_hold_every_sample_once() -> None:
    runner = candidate(tokens=POSITIONS_AT_ONCE // 2)
    batch = runner.batch(SPEC)
    parts = parts_of(batch, 5)
    assert [part.inputs["ids"].shape[0] for part in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([part.inputs["ids"] for part in parts]), batch.inputs["ids"])
    assert all(part.masks["logits"].shape == part.inputs["ids"].shape for part in parts)
    assert [len(part.inputs["ids"]) for part in parts_of(candidate(tokens=9999).batch(SPEC), 5)] == [1] * 5


def test_a_batch_that_counts_no_positions_is_left_whole() -> None:
    batch = dataclasses.replace(candidate(tokens=1000).batch(SPEC), positions=0)
    assert parts_of(batch, 5) == [batch]


def test_few_rows_are_kept_as_factors_and_many_as_their_product() -> None:
    """Of a matrix of 8 by 8, six rows are three quarters."""
    for tokens, few in ((1, True), (2, False)):
        trace = candidate(tokens=tokens).trace(SPEC)
        assert ("inner.weight" in trace.factors) == few
    factors = candidate(tokens=1).trace(SPEC).factors["inner.weight"]
    assert factors.outputs.shape == factors.inputs.shape == (5, WIDTH)


@pytest.mark.parametrize("gradients", ["weights", "samples", "factors"])
def test_roles_name_what_is_differentiated_by(gradients: Any) -> None:
    spec = dataclasses.replace(SPEC, gradients=gradients, roles=("head", "attention.out"))
    runner = candidate("attention, samples first")
    trace = runner.trace(spec)
    names = {view.parameter for view in runner.views() if view.kind in spec.roles}
    assert {*trace.gradients, *trace.factors} == names == {"attention.out_proj.weight", "inner.weight"}
    assert {*runner.trace(dataclasses.replace(spec, roles=("conv",))).gradients} == set()


def test_a_view_shows_a_part_of_the_factors() -> None:
    outputs, inputs = torch.arange(12.0).view(2, 6), torch.arange(8.0).view(2, 4)
    factors = GradientFactors(outputs=outputs, inputs=inputs)
    gradient = outputs.T @ inputs
    for view in (
        WeightView("w", "ffn", 0),
        WeightView("w", "attention.k", 0, rows=(2, 5)),
        WeightView("w", "attention.k", 0, rows=(2, 5), columns=(1, 4)),
    ):
        assert torch.equal(factors.of(view).product(), view.of(gradient))
    stored = WeightView("w", "attention.k", 0, rows=(2, 5), transposed=True)
    assert torch.equal(factors.of(stored).product(), stored.of(gradient.T))
