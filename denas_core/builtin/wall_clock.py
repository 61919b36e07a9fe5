"""The latency of eager PyTorch, measured by the wall clock of this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from denas_core.contracts.probe import TimedProbe
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture


@dataclasses.dataclass(kw_only=True)
class WallClock(TimedProbe):
    """Times eager PyTorch inference of one batch: warm-up, then rounds that alternate with a reference network.

    Rounds continue until the 95 % confidence interval of the median is narrow enough, or until `max_rounds` is reached
    and the verdict is *unstable*. The median is used because a few rounds are ten times slower on a shared machine.
    """

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs `arch` once and waits for the result."""
        import torch

        with torch.device("meta"):
            model = space.build(arch)
        model = space.load(model, arch, seed=seed).eval().to(device)
        batch = space.batch(self.batch_size, seed=seed).to(device=device)

        def call() -> object:
            with torch.inference_mode():
                outputs = space.forward(model, batch)
            if device == "cuda":
                torch.cuda.synchronize()
            return outputs

        return call
