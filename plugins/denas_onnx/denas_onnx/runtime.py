"""The latency probe ``onnx/runtime``."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from denas_core import TimedProbe, option, require_libraries

from . import LIBRARIES

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

    from denas_core import Architecture, OperatorTimer, SearchSpace


@dataclasses.dataclass(kw_only=True)
class Runtime(TimedProbe):
    """Times inference of one batch in ONNX Runtime, with its graph optimisations and the network in float32.

    Each candidate is first exported with fresh weights, which takes seconds and is not timed. The blocks of rounds
    and the reference network, which PyTorch runs, are the same as in ``builtin/wall-clock``.
    """

    optimisations: Literal["all", "extended", "basic", "none"] = option(
        "all", "Which optimisations ONNX Runtime applies to the graph"
    )
    parallel: bool = option(
        False, "Also run operators that do not depend on each other at once, on as many threads again"
    )

    def operator_timer(self) -> OperatorTimer:
        """Return what times operators in ONNX Runtime with the options of this probe.

        Raises:
            ConfigError: a library is missing.
        """
        require_libraries(*LIBRARIES)
        from .operators import RuntimeOperators

        return RuntimeOperators(optimisations=self.optimisations, parallel=self.parallel)

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs `arch` once.

        Raises:
            ConfigError: a library is missing, the network cannot be exported, or ONNX Runtime does not support
                the device.
        """
        require_libraries(*LIBRARIES)
        from denas_core.models import fresh_network

        from .program import onnx_program, open_session, save_program, weight_bytes

        module = fresh_network(space, arch, seed=seed)
        with tempfile.TemporaryDirectory(prefix="denas-onnx-") as folder:
            path = Path(folder) / "candidate.onnx"
            save_program(onnx_program(module), path, weights=weight_bytes(module))
            session = open_session(
                path,
                threads=self.threads,
                device=device,
                optimisations=self.optimisations,
                parallel=self.parallel,
            )
        return self._call([session], space, seed)

    def prepare_export(
        self, artefact: Path, space: SearchSpace, *, seed: int, device: str
    ) -> Callable[[], object] | None:
        """Return a call that runs the exported file, or its stages, once."""
        from .exporter import files_of
        from .program import open_session

        sessions = [
            open_session(
                file,
                threads=self.threads,
                device=device,
                optimisations=self.optimisations,
                parallel=self.parallel,
            )
            for file in files_of(artefact)
        ]
        return self._call(sessions, space, seed)

    def _call(
        self, sessions: Sequence[InferenceSession], space: SearchSpace, seed: int
    ) -> Callable[[], object]:
        batch = space.batch(self.batch_size, seed=seed)
        if len(sessions) > 1:
            from .program import run_sessions

            return lambda: run_sessions(sessions, batch)
        (session,) = sessions
        inputs = {name: tensor.numpy() for name, tensor in batch.inputs.items()}

        def call() -> object:
            return session.run(None, inputs)

        return call
