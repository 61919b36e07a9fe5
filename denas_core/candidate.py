"""A candidate: one architecture as scores see it, its passes run on demand and shared."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .architecture import Architecture

if TYPE_CHECKING:
    from .passes import PassSpec, Trace
    from .space import SearchSpace
    from .views import WeightView


class Candidate:
    """One architecture under evaluation.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        seed: The run's seed, from which every seed of a pass is derived.
        device: ``cpu`` or ``cuda``.
        pass_seconds: Wall-clock seconds of each pass that has run.
    """

    def __init__(self, space: SearchSpace, arch: Architecture, *, seed: int = 0, device: str = "cpu") -> None:
        self.space = space
        self.arch = arch
        self.seed = seed
        self.device = device
        self.pass_seconds: dict[PassSpec, float] = {}
        self._traces: dict[PassSpec, Trace] = {}
        self._views: list[WeightView] | None = None

    def trace(self, spec: PassSpec) -> Trace:
        """Return the trace of a pass, run at the first call.

        Raises:
            ScoreFailed: the network cannot do the pass, or ran out of memory.
        """
        if spec not in self._traces:
            from .pass_runner import run_pass

            start = time.perf_counter()
            self._traces[spec] = run_pass(self, spec)
            self.pass_seconds[spec] = time.perf_counter() - start
        return self._traces[spec]

    def views(self) -> list[WeightView]:
        """Return where the weights are, by role."""
        if self._views is None:
            import torch

            with torch.device("meta"):
                self._views = self.space.views(self.space.build(self.arch))
        return self._views

    def cost(self) -> dict[str, float]:
        """Return parameters, FLOPs and memory, see `SearchSpace.cost`."""
        return self.space.cost(self.arch)
