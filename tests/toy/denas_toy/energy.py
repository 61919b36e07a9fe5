"""A space and a probe that declare metrics of their own."""

import dataclasses

from denas_core import ArchitectureMetric, Latency

from .ruler import Ruler
from .stairs import Stairs


@dataclasses.dataclass(kw_only=True)
class Lift(Stairs):
    """Stairs that take energy to climb, which is known without climbing them."""

    metrics = (ArchitectureMetric(name="energy_mj", label="energy", unit="mJ"),)

    @classmethod
    def legacy(cls):
        return None

    def cost(self, arch):
        cost = super().cost(arch)
        # A low step costs more than its share of the parameters, so that the two metrics disagree.
        steps = [height for name, height in arch.values.items() if name != "depth"]
        return {**cost, "energy_mj": sum(1 + height / 4 for height in steps)}


@dataclasses.dataclass(kw_only=True)
class Meter(Ruler):
    """Reads how much charge is left beside the latency: the more parameters, the less."""

    metrics = (
        ArchitectureMetric(
            name="charge_mah", label="charge left", unit="mAh", direction="maximize", is_measured=True
        ),
    )

    def other_metrics(self, call, reference):
        left = 1000 - call()
        return {"charge_mah": Latency(median=left, low=left - 1, high=left + 1, verdict="stable", rounds=1)}
