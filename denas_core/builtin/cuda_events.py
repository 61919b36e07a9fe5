"""The latency of eager PyTorch on a GPU, measured by the clock of the GPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.timing.stopwatch import Round, Stopwatch
from denas_core.values.architecture import Architecture

from .wall_clock import WallClock, eager_call


class EventWatch(Stopwatch):
    """Times calls between two events of the GPU. Other work of the processor does not count as an interruption."""

    def __init__(self, threads: int = 1) -> None:
        """Use two events again and again; the number of threads of the processor does not matter."""
        import torch

        super().__init__(threads)
        events: Any = torch.cuda.Event
        self._start, self._end = events(enable_timing=True), events(enable_timing=True)

    def time(self, call: Callable[[], object]) -> Round:
        """Run `call` once, and wait for the GPU."""
        self._start.record()
        call()
        self._end.record()
        self._end.synchronize()
        return Round(max(self._start.elapsed_time(self._end), 1e-6))


@dataclasses.dataclass(kw_only=True)
class CudaEvents(WallClock):
    """Times eager PyTorch inference of one batch on a GPU, from the first kernel to the last, by events of the GPU.

    The time in which the GPU waits for the processor to start a kernel counts, and that of waiting for the result does
    not. Blocks of calls alternate with the smallest network of the space.
    """

    devices: ClassVar[tuple[str, ...]] = ("cuda",)
    stopwatch: ClassVar[Callable[[int], Stopwatch]] = EventWatch

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that starts `arch` once, and does not wait for the result.

        Raises:
            ConfigError: the device is not a GPU.
        """
        if device != "cuda":
            raise ConfigError(
                f"builtin/cuda-events needs a CUDA device, and this is {device!r}; use --device cuda"
            )
        return eager_call(space, arch, batch_size=self.batch_size, seed=seed, device=device)

    def prepare_reference(self, space: SearchSpace, *, seed: int, device: str) -> Callable[[], object] | None:
        """Return the smallest network of the space. The fixed network has a latency by the wall clock alone."""
        return LatencyProbe.prepare_reference(self, space, seed=seed, device=device)
