"""The latency probe ``executorch/runtime``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from denas_core import TimedProbe, require_libraries
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core import Architecture, SearchSpace


@dataclasses.dataclass(kw_only=True)
class Runtime(TimedProbe):
    """Times inference of one batch in ExecuTorch on the processor, with XNNPACK and the network in float32.

    Each candidate is first converted with fresh weights, which takes seconds and is not timed. The rounds and the test
    of stability are the same as in ``builtin/wall-clock``.
    """

    devices: ClassVar[tuple[str, ...]] = ("cpu",)

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs `arch` once.

        Raises:
            ConfigError: ExecuTorch is not installed, the network cannot be converted, or the device is not the
                processor.
        """
        require_libraries("executorch")
        if device not in self.devices:
            raise ConfigError(
                f"executorch/runtime runs on the processor, not on {device!r}; use --device cpu"
            )
        from denas_core.models import fresh_network

        from .loaded import load_program
        from .program import FORWARD, program_bytes

        module = fresh_network(space, arch, seed=seed)
        content = program_bytes({FORWARD: module}, facts={}, batch_size=self.batch_size, longest=1)
        program = load_program(content, threads=self.threads)
        (stage,) = program.stages
        inputs = list(space.batch(self.batch_size, seed=seed).inputs.values())

        def call() -> object:
            return stage.run(inputs)

        return call

    def prepare_export(
        self, artefact: Path, space: SearchSpace, *, seed: int, device: str
    ) -> Callable[[], object] | None:
        """Return a call that runs the exported program once.

        A program for fewer samples runs several times, until all samples of the batch are through.
        """
        require_libraries("executorch")
        from .loaded import load_program

        program = load_program(artefact, threads=self.threads)
        batch = space.batch(self.batch_size, seed=seed)
        return lambda: program.outputs(batch)
