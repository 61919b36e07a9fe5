"""The latency of eager PyTorch, measured by the wall clock of this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

from denas_core.contracts.probe import TimedProbe
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from denas_core.values.metrics import ArchitectureMetric

from .peak_memory import PEAK_MEMORY, peak_memory


@dataclasses.dataclass(kw_only=True)
class WallClock(TimedProbe):
    """Times eager PyTorch inference of one batch, so that the result does not depend on what else runs on the machine.

    Blocks of calls alternate with a small reference network, and calls that other work interrupted are left out. The
    latency is that of the machine when it is quiet. It is *unstable*, with a reason, if other work hides it.
    """

    more_metrics: ClassVar[tuple[ArchitectureMetric, ...]] = (*TimedProbe.more_metrics, PEAK_MEMORY)

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs `arch` once and waits for the result."""
        import torch

        run = eager_call(space, arch, batch_size=self.batch_size, seed=seed, device=device)
        if device != "cuda":
            return run

        def call() -> object:
            outputs = run()
            torch.cuda.synchronize()
            return outputs

        return call

    def other_metrics(
        self, call: Callable[[], object], reference: Callable[[], object] | None
    ) -> Mapping[str, Latency]:
        """Return the metrics of ``more``, with the most memory that torch allocates in a call."""
        found = super().other_metrics(call, reference)
        return {**found, PEAK_MEMORY.name: peak_memory(call)} if self.more else found


def eager_call(
    space: SearchSpace, arch: Architecture, *, batch_size: int, seed: int, device: str
) -> Callable[[], object]:
    """Return a call that runs `arch` with fresh weights once on a batch; on a GPU, it does not wait for the result."""
    import torch

    with torch.device("meta"):
        model = space.build(arch)
    model = space.load(model, arch, seed=seed).eval().to(device)
    batch = space.batch(batch_size, seed=seed).to(device=device)

    def call() -> object:
        with torch.inference_mode():
            return space.forward(model, batch)

    return call
