"""Networks that take a point in the plane."""

import dataclasses
import os
import time
from typing import Literal

from denas_core import Counterpart, Knob, PassSpec, ProxyScore, SearchSpace
from denas_core.contracts.component import option
from denas_core.values.batch import continuous_batch


@dataclasses.dataclass(kw_only=True)
class Mlp(SearchSpace):
    """A multi-layer perceptron."""

    classes: int = option(2, "Outputs of its own head", at_least=1)
    dropout: float = option(0.0, "Share of features that are dropped", at_least=0, at_most=1)
    norm: Literal["none", "batch"] = option("none", "Normalisation of each layer")
    fault: Literal["", "memory", "error", "nan"] = option("", "What goes wrong in its tenth training step")
    faulty: int = option(0, "Width of the networks in which it goes wrong; 0 for all", at_least=0)

    def knobs(self):
        return (Knob("depth", (1, 2)), Knob("width", (4, 8, 16)))

    def build(self, arch, *, head=None, variant="full"):
        from torch import nn

        layers, width = [], 2
        for _ in range(arch["depth"]):
            layers.append(nn.Linear(width, arch["width"]))
            width = arch["width"]
            if self.norm == "batch":
                layers.append(nn.BatchNorm1d(width))
            layers += [nn.Tanh(), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers, head or nn.Linear(width, self.classes))

    def batch(self, size, *, seed, kind="noise"):
        return continuous_batch((2,), size, seed=seed, kind=kind)

    def forward(self, model, batch):
        if self.fault and model.training and self.faulty in (0, model[0].out_features):
            passes = self.__dict__["_passes"] = self.__dict__.get("_passes", 0) + 1
            if passes == 10 and self.fault == "memory":
                raise RuntimeError(
                    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1e15 bytes"
                )
            if passes == 10 and self.fault == "nan":
                model[0].weight.data.fill_(float("nan"))
            elif passes == 10:
                raise ZeroDivisionError("the tenth step")
        time.sleep(float(os.environ.get("DENAS_POINTS_FORWARD", 0)))
        return super().forward(model, batch)


@dataclasses.dataclass(kw_only=True)
class Imitating(Mlp):
    """Perceptrons whose layers have the first features of the layers of the whole network."""

    def counterparts(self, model, arch, *, teacher_space, teacher_arch):
        if teacher_arch.key != self.full().key:
            return []
        return [
            Counterpart(str(place), str(place), tuple(range(arch["width"])))
            for place, module in enumerate(model)
            if type(module).__name__ == "Tanh"
        ]


@dataclasses.dataclass(kw_only=True)
class Deep(Mlp):
    """Perceptrons of up to four layers."""

    def knobs(self):
        return (Knob("depth", (1, 2, 3, 4)), Knob("width", (4, 8, 16)))


@dataclasses.dataclass(kw_only=True)
class Size(ProxyScore):
    """More parameters are better."""

    def measure(self, candidate):
        return float(candidate.cost()["params"])


@dataclasses.dataclass(kw_only=True)
class LossGradient(ProxyScore):
    """The size of the gradient of a cross entropy."""

    batch_size: int = option(8, "Samples of the batch", at_least=1)

    def passes(self):
        return (PassSpec(size=self.batch_size, readout="cross entropy", gradients="weights"),)

    def measure(self, candidate):
        gradients = candidate.trace(self.passes()[0]).gradients.values()
        return float(sum(gradient.square().sum() for gradient in gradients) ** 0.5)
