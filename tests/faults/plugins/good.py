"""A plugin that behaves, whose numbers depend on everything that others could change."""

from __future__ import annotations

from .making import Distribution

PLUGIN = """
    from denas_core import hookimpl

    @hookimpl
    def denas_spaces():
        return {"tiny": "zoo_good.part:Tiny"}

    @hookimpl
    def denas_scores():
        return {"first": "zoo_good.part:First", "last": "zoo_good.part:Last", "pair": "zoo_good.part:Pair"}
"""

PART = '''
    import dataclasses
    import hashlib
    import json
    import math
    import os
    import random
    import statistics
    import sys
    import warnings

    import numpy
    import torch
    from torch.nn import functional

    from denas_core import CombinedScore, Knob, PassSpec, ProxyScore, SearchSpace, continuous_batch

    SPEC = PassSpec(size=4, readout="cotangent", gradients="weights")


    @dataclasses.dataclass(kw_only=True)
    class Tiny(SearchSpace):
        """Two convolutions."""

        classes: int = 3

        def knobs(self):
            return (Knob("width", tuple(range(2, 34))), Knob("kernel", (1, 3)))

        def build(self, arch, *, head=None, variant="full"):
            from torch import nn

            width = arch["width"]
            return nn.Sequential(
                nn.Conv2d(3, width, arch["kernel"], padding=arch["kernel"] // 2),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(width, self.classes) if head is None else head,
            )

        def batch(self, size, *, seed, kind="noise"):
            return continuous_batch((3, 8, 8), size, seed=seed, kind=kind)


    def everything(candidate):
        """Text of all that a score may look at."""
        trace = candidate.trace(SPEC)
        network = candidate.network(SPEC)
        tensors = [*trace.gradients.values(), *trace.outputs.logits.values(), *network.parameters()]
        numbers = [tensor.double().sum().item() for tensor in tensors]
        drawn = [random.random(), float(numpy.random.rand()), torch.rand(3).double().sum().item()]
        x = torch.tensor([0.1, -0.2, 0.7])
        torch_says = [
            functional.relu(x).double().sum().item(),
            torch.sum(torch.softmax(x, 0) ** 2).double().item(),
            torch.linalg.norm(torch.outer(x, x)).double().item(),
            torch.nn.Linear(2, 2).weight.double().sum().item(),
        ]
        with warnings.catch_warnings(record=True) as told:
            warnings.warn("careless")
        process = [
            os.path.isdir(os.getcwd()), os.getcwd() == "/", "DENAS_FAULTY" in os.environ, "PATH" in os.environ,
            sys.getrecursionlimit(), torch.get_num_threads(),
            str(torch.get_default_dtype()), torch.is_grad_enabled(), network.training, len(told),
            torch.are_deterministic_algorithms_enabled(), json.loads("[0.1]"), math.sqrt(2), math.pi,
            statistics.median([1, 2]), numpy.geterr(), str(torch.zeros(1).device),
        ]
        return repr([numbers, drawn, torch_says, process, candidate.cost(), candidate.arch.as_dict()])


    def as_number(text):
        return int(hashlib.blake2b(text.encode(), digest_size=6).hexdigest(), 16) / 1e6


    @dataclasses.dataclass(kw_only=True)
    class First(ProxyScore):
        """Runs before the faulty one."""

        def passes(self):
            return (SPEC,)

        def measure(self, candidate):
            return as_number(everything(candidate))


    @dataclasses.dataclass(kw_only=True)
    class Last(First):
        """Runs after it."""


    @dataclasses.dataclass(kw_only=True)
    class Pair(CombinedScore):
        """Both."""

        def default_weights(self, space):
            return {"first": 1.0}

        def component(self, name, space):
            return {"first": First, "last": Last}[name]() if name in ("first", "last") else None
'''

GOOD = Distribution(name="good", files={"plugin": PLUGIN, "part": PART})
