"""The tangent kernel against one backward run a sample, and its condition number against known eigenvalues."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from denas_core import Batch, Candidate, PassSpec, ScoreFailed, SearchSpace
from denas_core.seeding import derive_seed
from denas_scores.complexity import Complexity, log_condition_number, tangent_kernel

from .toy_spaces import AttentionSpace, ChainSpace, CNNSpace, GatedSpace, SequenceSpace

SPEC = PassSpec(size=7, readout="cotangent", gradients="layers")

SPACES: dict[str, SearchSpace] = {
    "convolutions": CNNSpace(),
    "convolutions of many positions": CNNSpace(pixels=15),
    "attention": AttentionSpace(),
    "masked attention": AttentionSpace(masked=True),
    "fused attention": AttentionSpace(fused=True),
    "weights used in other ways than by one call of a layer": GatedSpace(),
}


class Readout(nn.Module):
    """The read-out of one sample, written without the pass runner."""

    def __init__(self, space: SearchSpace, network: nn.Module, cotangent: Tensor) -> None:
        super().__init__()
        self.space = space
        self.network = network
        self.cotangent = cotangent

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        logits = self.space.forward(self.network, Batch(inputs={"x": x[None]})).logits["logits"][0]
        return (logits * self.cotangent * mask).sum()


def kernel_by_vmap(candidate: Candidate, spec: PassSpec) -> Tensor:
    """Return the kernel in float64 from `torch.func`, batch-norm replaced by its affine map at this batch."""
    space = candidate.space
    network = space.load(space.build(candidate.arch), candidate.arch, seed=0).double().eval()
    spec = dataclasses.replace(spec.forward(), dtype="float64")
    trace, batch = candidate.trace(spec), candidate.batch(spec)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm, (mean, inverse_std) in zip(norms, trace.statistics, strict=True):
        norm.running_mean, norm.running_var = mean, inverse_std**-2 - norm.eps
    shape = trace.outputs.logits["logits"].shape
    generator = torch.Generator().manual_seed(derive_seed(candidate.seed, "cotangent", "logits"))
    cotangent = torch.randn(shape[1:], generator=generator, dtype=torch.float64)
    mask = batch.masks.get("logits", torch.ones(shape[:2], dtype=torch.bool))
    if len(shape) > mask.dim():
        mask = mask[..., None]
    names = {view.parameter for view in candidate.views()}
    weights = {f"network.{name}": trace.parameters[name] for name in names}
    buffers = {f"network.{name}": t for name, t in trace.parameters.items() if name not in names}
    readout = Readout(space, network, cotangent)

    def of_one(differentiated: dict[str, Tensor], x: Tensor, one_mask: Tensor) -> Tensor:
        value: Tensor = functional_call(readout, {**buffers, **differentiated}, (x, one_mask))
        return value

    with sdpa_kernel(SDPBackend.MATH):
        gradients = vmap(grad(of_one), in_dims=(None, 0, 0))(weights, batch.inputs["x"], mask)
    flat = torch.cat([gradient.flatten(1) for gradient in gradients.values()], 1)
    return flat @ flat.T


@pytest.mark.parametrize("index", [0, -1])
@pytest.mark.parametrize("name", SPACES)
def test_the_kernel_equals_that_of_per_sample_gradients(name: str, index: int) -> None:
    space = SPACES[name]
    arch = space.full() if index else space.smallest()
    assert arch is not None
    candidate = Candidate(space, arch, seed=1)
    kernel, expected = tangent_kernel(candidate, SPEC), kernel_by_vmap(candidate, SPEC)
    torch.testing.assert_close(kernel, expected, rtol=1e-4, atol=1e-6 * float(expected.max()))
    assert log_condition_number(kernel) == pytest.approx(log_condition_number(expected), rel=1e-4)


@pytest.mark.parametrize("positions", [1, 3, 7, 14])
@pytest.mark.parametrize(
    "layout",
    ["samples first", "positions first", "flat, samples first", "flat, positions first", "encoder"],
)
def test_rows_are_given_to_their_own_samples(layout: str, positions: int) -> None:
    """Also where positions are as many as the 7 samples, or a multiple, so that shapes leave the order open."""
    space = SequenceSpace(layout=layout, positions=positions)
    spec = dataclasses.replace(SPEC, dtype="float64")
    candidate = Candidate(space, space.full(), seed=1)
    names = {view.parameter for view in candidate.views()}
    gradients = candidate.trace(dataclasses.replace(spec, gradients="samples")).gradients
    flat = torch.cat([gradients[name].flatten(1) for name in names], 1)
    torch.testing.assert_close(tangent_kernel(candidate, spec), flat @ flat.T, rtol=1e-9, atol=1e-9)
    assert names <= {call.parameter for call in candidate.trace(spec).layers}


def test_a_layer_that_mixes_samples_costs_a_run_a_sample() -> None:
    class Shared(SequenceSpace):
        def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
            return SharedTable(self.positions)

    candidate = Candidate(Shared(positions=7), Shared().full(), seed=1)
    assert {call.parameter for call in candidate.trace(SPEC).layers} == {"head.weight"}
    gradients = candidate.trace(dataclasses.replace(SPEC, gradients="samples")).gradients
    flat = torch.cat([gradients[name].flatten(1) for name in ("table.weight", "head.weight")], 1)
    torch.testing.assert_close(tangent_kernel(candidate, SPEC).float(), flat @ flat.T, rtol=1e-4, atol=1e-4)


class SharedTable(nn.Module):
    """Projects one table for all samples, with as many positions as there may be samples."""

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.register_buffer("positions", torch.empty(1, positions, 3))
        self.table, self.head = nn.Linear(3, 3), nn.Linear(3, 2)

    def reset_parameters(self) -> None:
        self.positions.copy_(torch.linspace(-1, 1, self.positions.numel()).view_as(self.positions))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(torch.tanh(x + self.table(self.positions)))
        return y


def test_the_bits_do_not_depend_on_the_hash_seed() -> None:
    """Weights without records are summed in the order of the views."""
    code = (
        "from denas_core import Candidate, PassSpec\n"
        "from denas_scores.complexity import tangent_kernel\n"
        "from tests.scores.toy_spaces import SequenceSpace\n"
        "space = SequenceSpace(layout='products')\n"
        "spec = PassSpec(size=7, dtype='float64', readout='cotangent', gradients='layers')\n"
        "print(tangent_kernel(Candidate(space, space.full()), spec).flatten().tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_float32_and_float64_agree() -> None:
    candidate = Candidate(CNNSpace(), CNNSpace().full())
    single = log_condition_number(tangent_kernel(candidate, SPEC))
    double = log_condition_number(tangent_kernel(candidate, dataclasses.replace(SPEC, dtype="float64")))
    assert single == pytest.approx(double, rel=1e-4)


def test_the_condition_number_is_that_of_the_eigenvalues() -> None:
    basis = torch.linalg.qr(
        torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )[0]
    kernel = basis @ torch.diag(torch.tensor([2.0, 5.0, 8.0], dtype=torch.float64)) @ basis.T
    assert log_condition_number(kernel) == pytest.approx(math.log(4))


def test_a_network_with_fewer_weights_than_samples_has_a_singular_kernel() -> None:
    with pytest.raises(ScoreFailed, match="singular"):
        Complexity(batch_size=16).measure(Candidate(ChainSpace(), ChainSpace().full()))


def test_a_kernel_with_nan_is_no_score() -> None:
    with pytest.raises(ScoreFailed, match="not finite"):
        log_condition_number(torch.full((2, 2), math.nan, dtype=torch.float64))


def test_smaller_is_better() -> None:
    assert Complexity.direction == "minimize"
