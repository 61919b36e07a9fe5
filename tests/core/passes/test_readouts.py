"""Cross entropies as read-outs, and what passes keep of gradients, each against autograd on the network itself."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import PassSpec
from denas_core.passes import inputs
from denas_core.seeding import derive_seed
from denas_core.values.passes import joined_passes

from .test_observing import Images, Texts, candidate

LOSS = PassSpec(size=4, norm="coupled", readout="cross entropy", gradients="weights")
KEPT = dataclasses.replace(
    LOSS, observe=("correlations", "curvature", "gradient correlations", "output gradients")
)


def labels_of(spec: PassSpec, classes: int = 3) -> Tensor:
    seed = derive_seed(0, "labels", "logits", spec.repeat, spec.batch)
    return torch.randint(0, classes, (spec.size,), generator=torch.Generator().manual_seed(seed))


def test_a_cross_entropy_is_the_mean_over_samples_with_random_labels() -> None:
    seen = candidate(Images())
    network, x = copy.deepcopy(seen.network(LOSS)), seen.batch(LOSS).inputs["x"]
    F.cross_entropy(network(x)[1], labels_of(LOSS)).backward()
    trace = seen.trace(LOSS)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(trace.gradients[name], parameter.grad, rtol=1e-3, atol=1e-6)


def test_parts_of_a_batch_have_the_labels_of_their_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = candidate(Texts()).trace(LOSS).gradients
    monkeypatch.setattr(inputs, "POSITIONS_AT_ONCE", 5)
    parts = candidate(Texts()).trace(LOSS).gradients
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-3, atol=1e-6)


def test_batches_and_repeats_have_other_labels() -> None:
    spec = dataclasses.replace(LOSS, size=32)
    others = (dataclasses.replace(spec, batch=1), dataclasses.replace(spec, repeat=1))
    assert all(not torch.equal(labels_of(spec), labels_of(other)) for other in others)


def test_outputs_of_layers_and_their_gradients_are_those_before_an_activation_in_place() -> None:
    seen = candidate(Images(), KEPT)
    trace = seen.trace(KEPT)
    network = copy.deepcopy(seen.network(KEPT))
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        copied = output.clone()
        copied.retain_grad()
        kept.append(copied)
        return copied.clone()

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(keep)
    F.cross_entropy(network(seen.batch(KEPT).inputs["x"])[1], labels_of(KEPT)).backward()
    assert [call.channels for call in trace.layer_outputs] == [1, 1, 1, -1]
    for call, expected in zip(trace.layer_outputs, kept, strict=True):
        torch.testing.assert_close(call.outputs, expected.detach(), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(call.gradient, expected.grad, rtol=1e-3, atol=1e-6)


def test_correlations_between_samples_know_the_blocks_before_them() -> None:
    trace = candidate(Images(), KEPT).trace(KEPT)
    assert [call.block for call in trace.correlations] == [0, 1, 2]
    outputs = trace.layer_outputs
    for call, layer in zip(trace.correlations, outputs[:3], strict=True):
        # What the layer puts out goes into the activation.
        expected = torch.corrcoef(layer.outputs.flatten(1).double())
        torch.testing.assert_close(call.inputs, expected, rtol=1e-3, atol=1e-4)
        assert layer.gradient is not None
        expected = torch.corrcoef(layer.gradient.flatten(1).double())
        torch.testing.assert_close(call.gradients, expected, rtol=1e-3, atol=1e-4)


def test_curvature_is_the_hessian_times_the_gradient() -> None:
    """By the full Hessian of the head alone, whose output it is twice differentiable in."""
    seen = candidate(Images())
    spec = dataclasses.replace(KEPT, roles=("head",), observe=("curvature",))
    trace, network = seen.trace(spec), copy.deepcopy(seen.network(spec))
    with torch.no_grad():
        pooled = network.stages(seen.batch(spec).inputs["x"]).mean((2, 3))
    bias, weight, labels = network.head.bias.detach(), network.head.weight.detach(), labels_of(spec)

    def loss(flat: Tensor) -> Tensor:
        return F.cross_entropy(F.linear(pooled, flat.view(3, 6), bias), labels)

    hessian = torch.func.hessian(loss)(weight.flatten())
    gradient = torch.func.grad(loss)(weight.flatten())
    torch.testing.assert_close(
        trace.curvature["head.weight"].flatten(), hessian @ gradient, rtol=1e-3, atol=1e-6
    )
    torch.testing.assert_close(trace.gradients["head.weight"].flatten(), gradient, rtol=1e-3, atol=1e-6)


def test_what_is_kept_of_gradients_joins_in_one_run_and_changes_none() -> None:
    wanted = [LOSS, *(dataclasses.replace(LOSS, observe=(what,)) for what in KEPT.observe)]
    assert len(joined_passes(wanted)) == 1
    seen, alone = candidate(Images(), *wanted), candidate(Images())
    trace = seen.trace(LOSS)
    assert trace.layer_outputs and trace.correlations and trace.curvature
    for name, gradient in alone.trace(LOSS).gradients.items():
        torch.testing.assert_close(trace.gradients[name], gradient, rtol=1e-3, atol=1e-6)
    assert not any(tensor.requires_grad for tensor in trace.tensors())
    assert seen.changed() == ""


def test_gradients_of_a_read_out_are_observed_under_weights_alone() -> None:
    with pytest.raises(ValueError, match="curvature needs gradients='weights', not 'inputs'"):
        PassSpec(gradients="inputs", observe=("curvature",))
