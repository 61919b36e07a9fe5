"""The latency of eager PyTorch, measured by the wall clock of this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from denas_core.contracts.probe import TimedProbe
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture


@dataclasses.dataclass(kw_only=True)
class WallClock(TimedProbe):
    """Times eager PyTorch inference of one batch, so that the result does not depend on what else runs on the machine.

    Blocks of calls alternate with a small reference network, and calls that other work interrupted are left out. The
    latency is that of the machine when it is quiet. It is *unstable*, with a reason, if other work hides it.
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
