"""The exporter ``onnx/onnx``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.batch import Batch
from denas_core.component import option
from denas_core.exporter import Exporter

from . import OPSET

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.trained import TrainedModel

FILE = "model.onnx"


@dataclasses.dataclass(kw_only=True)
class ONNX(Exporter):
    """An ONNX file in float32 for batches of any size; it runs wherever ONNX does.

    Inputs are taken as the network takes them. Labels, normalisation and whatever else the task says of its data are in
    the file's metadata, each as JSON.
    """

    standalone = True

    opset: int = option(OPSET, "Version of the ONNX operators", at_least=18, at_most=23)

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the file into `directory`.

        Raises:
            ConfigError: the network cannot be traced, or has no form in ONNX.
        """
        from denas_core.deployable import deployable

        from .program import onnx_program, save_program, weight_bytes

        module = deployable(model)
        program = onnx_program(module, opset=self.opset)
        facts = {**model.facts, "space": model.space.id, "key": model.arch.key}
        program.model.metadata_props.update({name: json.dumps(value) for name, value in facts.items()})
        save_program(program, directory / FILE, weights=weight_bytes(module))
        return directory / FILE

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Run the file in ONNX Runtime, and return its logits."""
        from .program import open_session, session_outputs

        return session_outputs(open_session(artefact), batch)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return how ONNX Runtime loads it."""
        return f"import onnxruntime\nsession = onnxruntime.InferenceSession({str(artefact)!r})"
