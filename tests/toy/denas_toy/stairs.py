"""A space whose networks are never built: steps of a staircase, as many as its depth says."""

import dataclasses

from denas_core import Knob, SearchSpace, option

STEPS = 6


@dataclasses.dataclass(kw_only=True)
class Stairs(SearchSpace):
    """Steps of different heights."""

    width: int = option(8, "Width of a step", at_least=1)
    highest: int = option(9, "Height of the highest step", at_least=2)

    def knobs(self):
        depth = Knob("depth", tuple(range(2, STEPS + 1)))
        steps = [
            Knob(
                f"step{i}",
                tuple(range(1, self.highest + 1)),
                layer=i,
                when=("depth", tuple(range(max(i + 1, 2), STEPS + 1))),
            )
            for i in range(STEPS)
        ]
        return (depth, *steps)

    def cost(self, arch):
        params = self.width * sum(value for name, value in arch.values.items() if name != "depth")
        return {"params": params, "flops": 2 * params, "size_mb": params / 1e6}

    def build(self, arch, *, head=None, variant="full"):
        raise NotImplementedError("stairs are never built")

    def batch(self, size, *, seed, kind="noise"):
        raise NotImplementedError("stairs take no input")
