"""The latency probe ``openvino/runtime``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from denas_core import TimedProbe, option, require_libraries
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core import Architecture, SearchSpace


@dataclasses.dataclass(kw_only=True)
class Runtime(TimedProbe):
    """Times inference of one batch in OpenVINO on the processor, with its optimisations for latency.

    Each candidate is first converted with fresh weights and compiled, which takes seconds and is not timed. It is
    compiled for the shape of the batch. The rounds and the test of stability are the same as in ``builtin/wall-clock``.
    """

    devices: ClassVar[tuple[str, ...]] = ("cpu",)

    bfloat16: bool = option(False, "Let OpenVINO compute in bfloat16 where the processor can")

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs `arch` once.

        Raises:
            ConfigError: OpenVINO is not installed, the network cannot be converted, or the device is not the processor.
        """
        from .program import FLOAT32, compiled, openvino_model

        require_libraries("openvino")
        if device not in self.devices:
            raise ConfigError(f"openvino/runtime runs on the processor, not on {device!r}; use --device cpu")
        from denas_core.models import fresh_network

        model = openvino_model(fresh_network(space, arch, seed=seed))
        batch = space.batch(self.batch_size, seed=seed)
        inputs = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
        model.reshape({name: list(array.shape) for name, array in inputs.items()})
        options = {} if self.bfloat16 else FLOAT32
        request = compiled(model, threads=self.threads, options=options).create_infer_request()

        def call() -> object:
            return request.infer(inputs, share_outputs=True)

        return call

    def prepare_export(
        self, artefact: Path, space: SearchSpace, *, seed: int, device: str
    ) -> Callable[[], object] | None:
        """Return a call that runs the exported model, or its stages, once. Shapes stay open, as in the file."""
        from .exporter import files_of
        from .program import FLOAT32, compiled, run_models

        options = {} if self.bfloat16 else FLOAT32
        models = [compiled(file, threads=self.threads, options=options) for file in files_of(artefact)]
        batch = space.batch(self.batch_size, seed=seed)
        if len(models) > 1:
            return lambda: run_models(models, batch)
        inputs = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
        request = models[0].create_infer_request()
        return lambda: request.infer(inputs, share_outputs=True)
