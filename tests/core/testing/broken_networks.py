"""A search space that breaks each promise about networks and batches, by the check that must notice."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import torch
from torch import Tensor, nn

from denas_core import Batch, Knob, Outputs, WeightView
from denas_core.networks import Piece
from denas_core.testing.samples.spaces import SampleCNN, SampleMLP, SampleTransformer

_counter = itertools.count()


class Stubborn(SampleMLP):
    def build(self, arch: Any, **kwargs: Any) -> nn.Module:
        return nn.Sequential(super().build(arch, **kwargs), nn.Linear(4, 4, device="cpu"))


class TwoFaced(SampleMLP):
    def build(self, arch: Any, **kwargs: Any) -> nn.Module:
        model = super().build(arch, **kwargs)
        on_meta = next(model.parameters()).is_meta
        return model if on_meta else nn.Sequential(model, nn.Linear(4, 4))


class IdleKnob(SampleMLP):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("dropout", ("low", "high")))


class Miscounted(SampleMLP):
    def cost(self, arch: Any) -> dict[str, float]:
        cost = super().cost(arch)
        return {**cost, "params": cost["params"] - 1}


class CountedTwice(SampleMLP):
    def pieces(self, arch: Any) -> Any:
        return [dataclasses.replace(piece, count=2) for piece in super().pieces(arch)]


class TooMuchMemory(SampleMLP):
    def pieces(self, arch: Any) -> Any:
        larger = Piece(
            key="large", build=lambda: nn.Linear(1, 1), count=0, inputs=lambda size: (torch.empty(1000, 1),)
        )
        return [*super().pieces(arch), larger]


class ThroughNumpy(SampleMLP):
    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        float(batch.inputs["x"].sum())
        return super().forward(model, batch)


class GlobalWeights(SampleMLP):
    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        model = super().load(model, arch, seed=seed)
        with torch.no_grad():
            next(model.parameters()).add_(torch.rand(()))
        return model


class OneSeed(SampleMLP):
    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        return super().load(model, arch, seed=0)


class ForgottenWeight(SampleMLP):
    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        if any(parameter.is_meta for parameter in model.parameters()):
            return super().load(model, arch, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in itertools.islice(model.parameters(), 1, None):
                parameter.normal_(generator=generator)
        return model


class SameNoise(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return super().batch(size, seed=0, kind=kind)


class GlobalNoise(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        batch = super().batch(size, seed=seed, kind=kind)
        return dataclasses.replace(batch, inputs={"x": batch.inputs["x"] + torch.rand(())})


class SeedingBuild(SampleMLP):
    def build(self, arch: Any, **kwargs: Any) -> nn.Module:
        torch.manual_seed(0)
        return super().build(arch, **kwargs)


class OneMore(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return super().batch(size + 1, seed=seed, kind=kind)


class NoOnes(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return super().batch(size, seed=seed, kind="noise" if kind == "ones" else kind)


class CostInMemory(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return super().batch(size, seed=seed, kind="ones" if kind == "cost" else kind)


class PerturbedTokens(SampleTransformer):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return dataclasses.replace(super().batch(size, seed=seed, kind=kind), perturbable=("tokens",))


class Infinite(SampleMLP):
    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        outputs = super().forward(model, batch)
        return dataclasses.replace(outputs, logits={"logits": outputs.logits["logits"] / 0})


class AlwaysNoisy(SampleMLP):
    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        outputs = super().forward(model, batch)
        return dataclasses.replace(outputs, features=outputs.features + next(_counter))


class Coupled(SampleMLP):
    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        outputs = super().forward(model, batch)
        return dataclasses.replace(outputs, features=outputs.features - outputs.features.mean(0))


class InPlace(SampleMLP):
    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        batch.inputs["x"].mul_(2)
        return super().forward(model, batch)


class TooManyRows(SampleMLP):
    def views(self, model: nn.Module) -> list[WeightView]:
        return [dataclasses.replace(view, rows=(0, 1000)) for view in super().views(model)]


class OwnRole(SampleMLP):
    def views(self, model: nn.Module) -> list[WeightView]:
        return [dataclasses.replace(view, kind="mlp") for view in super().views(model)]


class NoSuchPart(SampleMLP):
    def parts(self, model: nn.Module) -> dict[str, tuple[str, ...]]:
        return {"encoder": ("encoder.",)}


class NoSuchBlock(SampleMLP):
    def block_names(self, model: nn.Module) -> list[str]:
        return ["encoder.0"]


class NoSuchEnd(SampleCNN):
    def residual_ends(self, model: nn.Module) -> list[str]:
        return ["blocks.0.norm.weight"]


class DeadBodies(SampleCNN):
    """Names two weights of a body, of which each is the only way to the other."""

    def residual_ends(self, model: nn.Module) -> list[str]:
        return ["blocks.0.second.weight", "blocks.0.second_norm.weight"]


class OwnHead(SampleMLP):
    def build(self, arch: Any, *, head: nn.Module | None = None, variant: Any = "full") -> nn.Module:
        return super().build(arch, variant=variant)


class NoPlain(SampleCNN):
    def build(self, arch: Any, *, head: nn.Module | None = None, variant: Any = "full") -> nn.Module:
        if variant == "plain":
            return super().build(arch, head=nn.Identity(), variant=variant)
        return super().build(arch, head=head, variant=variant)


class Unconditional(SampleMLP):
    """Every layer has a width, whether or not the network is that deep."""

    def knobs(self) -> Any:
        return tuple(dataclasses.replace(knob, when=None) for knob in super().knobs())


class BareTensor(SampleMLP):
    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Any:
        return super().batch(size, seed=seed, kind=kind).inputs["x"]


class RunningSum(SampleMLP):
    """Each sample depends on those before it, so that the first one looks sound."""

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        outputs = super().forward(model, batch)
        return dataclasses.replace(outputs, features=_running(outputs.features))


class RunningSumFromTheEnd(SampleMLP):
    """Each sample depends on those after it, so that the last one looks sound."""

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        outputs = super().forward(model, batch)
        return dataclasses.replace(outputs, features=_running(outputs.features.flip(0)).flip(0))


def _running(features: Tensor) -> Tensor:
    return features.cumsum(0)


BROKEN_NETWORKS: dict[str, Any] = {
    "structures_build_on_any_device": (Stubborn, TwoFaced),
    "knobs_change_the_network": (IdleKnob, Unconditional),
    "costs_count_the_network": Miscounted,
    "cost_batches_run_on_meta": ThroughNumpy,
    "weights_come_from_the_seed": (GlobalWeights, ForgottenWeight),
    "batches_have_their_size": (OneMore, BareTensor),
    "batches_of_ones_are_constant": NoOnes,
    "cost_batches_are_on_meta": CostInMemory,
    "perturbable_inputs_are_continuous": PerturbedTokens,
    "outputs_are_finite": Infinite,
    "samples_do_not_couple": (Coupled, RunningSum, RunningSumFromTheEnd),
    "views_show_weights": (TooManyRows, OwnRole),
    "pieces_add_up_to_the_network": (CountedTwice, TooMuchMemory),
    "parts_and_blocks_exist": (NoSuchPart, NoSuchBlock),
    "residual_ends_can_begin_at_zero": (NoSuchEnd, DeadBodies),
    "heads_are_replaced": OwnHead,
    "plain_variants_run": NoPlain,
}
