"""The exporter ``onnx/onnx``."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core import Batch, Exporter, option, stages_of

from . import OPSET
from .installed import check_installed

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import TrainedModel

MODEL, SUFFIX = "model", ".onnx"

SCRIPT = """\
import onnxruntime

SESSIONS = [onnxruntime.InferenceSession(HERE / name) for name in {files!r}]


def run(inputs):
    known = dict(inputs)
    for session in SESSIONS:
        taken = {{each.name: known[each.name] for each in session.get_inputs()}}
        names = [each.name for each in session.get_outputs()]
        outputs = dict(zip(names, session.run(names, taken)))
        known |= outputs
    return outputs
"""


@dataclasses.dataclass(kw_only=True)
class ONNX(Exporter):
    """An ONNX file in float32 for batches of any size.

    A network of several stages, such as the encoder and the decoder of speech recognition, has one file for each stage.
    The inputs are the same as the network's. Labels, normalisation and all other facts of the task are in the metadata
    of each file, as JSON.
    """

    standalone = True
    probe = "onnx/runtime"

    opset: int = option(OPSET, "Version of the ONNX operators", at_least=18, at_most=23)

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the file, or one file for each stage, into `directory`.

        Raises:
            ConfigError: a library is missing, or the network cannot be traced or expressed in ONNX.
        """
        check_installed()
        from denas_core.models import deployable_network, deployable_stages

        from .program import onnx_program, save_program, weight_bytes

        stages = deployable_stages(model)
        facts = {**model.facts, "space": model.space.id, "key": model.arch.key}
        properties = {name: json.dumps(value) for name, value in facts.items()}
        for name, module in (stages or {MODEL: deployable_network(model)}).items():
            program = onnx_program(module, opset=self.opset)
            program.model.metadata_props.update(properties)
            save_program(program, directory / f"{name}{SUFFIX}", weights=weight_bytes(module))
        return directory if stages else directory / f"{MODEL}{SUFFIX}"

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Run the file, or the stages one after the other, in ONNX Runtime, and return the logits."""
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Return a function that runs the file or the stages, which are loaded once."""
        from .program import open_session, run_stages

        return functools.partial(run_stages, [open_session(file) for file in files_of(artefact)])

    def script(self, model: TrainedModel, artefact: Path) -> str:
        """Return code that runs the file, or the stages one after the other, in ONNX Runtime."""
        names = [f"{stage.name}{SUFFIX}" for stage in stages_of(model.network)] or [artefact.name]
        return SCRIPT.format(files=names)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the files in ONNX Runtime."""
        names = [stage.name for stage in stages_of(model.network)]
        files = {name: artefact / f"{name}{SUFFIX}" for name in names} or {"session": artefact}
        lines = [f"{name} = onnxruntime.InferenceSession({str(file)!r})" for name, file in files.items()]
        return "\n".join(["import onnxruntime", *lines])


def files_of(artefact: Path) -> list[Path]:
    """Return the file of an export, or the files of its stages."""
    return sorted(artefact.glob(f"*{SUFFIX}")) if artefact.is_dir() else [artefact]
