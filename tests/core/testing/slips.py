"""Slips that beginners make, with the check that must notice each and what it says to do."""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import Tensor, nn

from denas_core import Batch, Knob, Outputs, PassSpec
from denas_core.testing.checks.batches import batches_repeat
from denas_core.testing.checks.checkpoints import (
    inherited_weights_repeat,
    portable_options_make_the_same_networks,
)
from denas_core.testing.checks.networks import knobs_change_the_network
from denas_core.testing.checks.outputs import samples_do_not_couple
from denas_core.testing.checks.scores import (
    networks_get_a_value,
    only_declared_passes_run,
    passes_are_specifications,
)
from denas_core.testing.checks.spaces import knobs_are_plain
from denas_core.testing.samples.knobs import Conditional
from denas_core.testing.samples.spaces import SampleMLP

from .broken_checkpoints import Deaf, Narrowing
from .broken_components import Good
from .broken_scores import Undeclared


class OnePass(Good):
    def passes(self) -> Any:
        return PassSpec(size=4)


class NoReadout(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, gradients="weights"),)


class Misspelt(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, weights="random"),)  # type: ignore[arg-type]


class Crashing(Good):
    def measure(self, candidate: Any) -> float:
        return float({}["weights"])


class Perturbing(Good):
    def passes(self) -> Any:
        return (PassSpec(size=4, perturbation=0.1),)

    def measure(self, candidate: Any) -> float:
        return float(candidate.trace(self.passes()[0]).outputs.features.sum())


class ValueForValues(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", (1, 2), when=("depth", 3)))  # type: ignore[arg-type]


class ListOfValues(Conditional):
    def knobs(self) -> Any:
        return (*super().knobs(), Knob("gate", [1, 2]))  # type: ignore[arg-type]


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


SLIPS = [
    (
        passes_are_specifications,
        OnePass,
        "returns a PassSpec; return a tuple, which for one pass is written (spec,)",
    ),
    (
        passes_are_specifications,
        NoReadout,
        "PassSpec(size=4, gradients='weights'), which differentiates without a read-out; name it: readout='cotangent'",
    ),
    (passes_are_specifications, Misspelt, "weights='random'; choose from 'fresh', 'inherited', 'normal'"),
    (networks_get_a_value, Crashing, "testing/slips.py:"),
    (networks_get_a_value, Perturbing, "denas_core.contracts.score.CONTINUOUS_INPUT for a perturbation"),
    (
        only_declared_passes_run,
        Undeclared,
        "asks for PassSpec(size=4, readout='cotangent', gradients='weights'), which",
    ),
    (knobs_are_plain, ValueForValues, "when=('depth', 3); write (parent, values): ('depth', (3,))"),
    (knobs_are_plain, ListOfValues, "the values [1, 2]; write a tuple"),
    (knobs_change_the_network, Unconditional, "say where it counts with when=(parent, values)"),
    (
        batches_repeat,
        BareTensor,
        "batch() returns a Tensor; return a denas_core.Batch, e.g. by continuous_batch(...)",
    ),
    (samples_do_not_couple, RunningSum, "keep samples apart"),
    (samples_do_not_couple, RunningSumFromTheEnd, "keep samples apart"),
    (inherited_weights_repeat, Deaf, "gives the fresh weights of the seed; take those of the checkpoint"),
    (portable_options_make_the_same_networks, Narrowing, "leave nothing to be left out twice"),
]
