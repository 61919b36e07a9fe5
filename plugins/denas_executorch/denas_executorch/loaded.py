"""Run ExecuTorch programs in ExecuTorch."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core import Batch, captured_stderr, silent_libraries
from denas_core.errors import ConfigError
from denas_core.models import LoadedStage, run_stages

from .program import BATCH, FACTS

if TYPE_CHECKING:
    from torch import Tensor

MISSING = re.compile(r"Missing operator: \[\d+\] (\S+)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProgram:
    """A program whose methods are loaded.

    Attributes:
        stages: The methods, which share memory: the outputs of a call are copies.
        facts: What the program says of its network.
    """

    stages: tuple[LoadedStage, ...]
    facts: Mapping[str, Any]

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """Run the methods on a batch, with as many samples at once as they take, and return the logits by name.

        Raises:
            ConfigError: an input is longer than the program takes.
        """
        import torch

        self._check_sizes(batch)
        most = self.facts["largest"][BATCH]
        size = len(next(iter(batch.inputs.values())))
        parts = [
            run_stages(
                self.stages, {name: tensor[start : start + most] for name, tensor in batch.inputs.items()}
            )
            for start in range(0, size, most)
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _check_sizes(self, batch: Batch) -> None:
        for described in self.facts["preprocessing"]["inputs"]:
            shape = batch.inputs[described["name"]].shape
            for size, name in zip(shape[1:], described["shape"][1:], strict=True):
                most = self.facts["largest"].get(name, size)
                if size > most:
                    raise ConfigError(
                        f"the exported program takes at most {most} {name} in {described['name']!r}, and this input "
                        f"has {size}; export it again with a larger export.longest"
                    )


def load_program(content: Path | bytes, *, threads: int = 0) -> LoadedProgram:
    """Return a program with all its methods loaded.

    Args:
        content: The file, or its content.
        threads: Number of threads of a call, for all programs of this process; with 0, ExecuTorch chooses.

    Raises:
        ConfigError: ExecuTorch has no kernel for an operator.
        RuntimeError: ExecuTorch cannot read the file.
    """
    with silent_libraries("torch"), captured_stderr() as written:
        from executorch.extension.pybindings import portable_lib  # type: ignore[import-untyped]
        from executorch.runtime import Runtime  # type: ignore[import-untyped]

        if threads:
            portable_lib._unsafe_reset_threadpool(threads)
        try:
            program = Runtime.get().load_program(content)
            facts = json.loads(program.load_method(FACTS).execute([])[0])
            stages = tuple(_stage(program, each) for each in facts["methods"])
        except RuntimeError as error:
            missing = sorted({*MISSING.findall(written())})
            if not missing:
                raise
            raise ConfigError(
                f"ExecuTorch cannot load this program: it has no kernel for {', '.join(missing)}; export it to "
                "torch-export"
            ) from error
    return LoadedProgram(stages=stages, facts=facts)


@dataclasses.dataclass(frozen=True, slots=True)
class _Method:
    """A method with its program, whose memory it reads: the program must not be released before it."""

    program: Any
    method: Any

    def __call__(self, inputs: Sequence[Any]) -> Sequence[Any]:
        outputs: Sequence[Any] = self.method.execute(inputs)
        return outputs


def _stage(program: Any, names: Mapping[str, Any]) -> LoadedStage:
    method = _Method(program, program.load_method(names["name"]))
    return LoadedStage(inputs=tuple(names["inputs"]), outputs=tuple(names["outputs"]), run=method)
