"""A probe that reads latency off the architecture."""

import dataclasses

from denas_core import Latency, LatencyProbe, option


@dataclasses.dataclass(kw_only=True)
class Ruler(LatencyProbe):
    """A millisecond a parameter, with an interval of a given width."""

    width: float = option(0.1, "Half-width of the interval, relative to the median", at_least=0)

    def prepare(self, space, arch, *, seed, device):
        return lambda: space.cost(arch)["params"]

    def time(self, call, reference):
        median = float(call())
        verdict = "stable" if self.width < 0.5 else "unstable"
        return Latency(
            median=median,
            low=median * (1 - self.width),
            high=median * (1 + self.width),
            verdict=verdict,
            rounds=1,
            reason="" if verdict == "stable" else f"its interval has a width of {self.width:g}",
        )
