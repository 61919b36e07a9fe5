"""The exporter ``openvino/openvino``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core import Batch, Exporter, require_libraries, stages_of

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import TrainedModel

MODEL, SUFFIX = "model", ".xml"

SCRIPT = """\
import openvino

MODELS = [openvino.compile_model(HERE / name, "CPU", {options!r}) for name in {files!r}]


def run(inputs):
    known = dict(inputs)
    for model in MODELS:
        results = model({{port.any_name: known[port.any_name] for port in model.inputs}})
        outputs = {{port.any_name: results[port] for port in model.outputs}}
        known |= outputs
    return outputs
"""
FACTS = "denas"
"""Section of the runtime information of a model with labels, normalisation and all other facts, as JSON."""


@dataclasses.dataclass(kw_only=True)
class OpenVINO(Exporter):
    """An OpenVINO model in float32 for batches of any size: the network as XML, and its weights beside it.

    A network of several stages, such as the encoder and the decoder of speech recognition, has one model for each
    stage. The inputs are the same as the network's. The runtime information of each model says as JSON how the inputs
    are made, and has labels, normalisation and all other facts of the task.
    """

    standalone = True
    probe = "openvino/runtime"

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the model, or one for each stage, into `directory`.

        Raises:
            ConfigError: OpenVINO is not installed, or the network cannot be traced or converted.
        """
        from denas_core.models import deployable_network, deployable_stages, file_facts

        from .program import openvino_model

        require_libraries("openvino")
        import openvino  # type: ignore[import-untyped]

        stages = deployable_stages(model)
        network = deployable_network(model)
        facts = file_facts(model, network.output_names)
        for name, module in (stages or {MODEL: network}).items():
            made = openvino_model(module)
            for fact, value in facts.items():
                made.set_rt_info(json.dumps(value), [FACTS, fact])
            openvino.save_model(made, directory / f"{name}{SUFFIX}", compress_to_fp16=False)
        return directory if stages else directory / f"{MODEL}{SUFFIX}"

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Run the model, or the stages one after the other, in OpenVINO, and return the logits."""
        from .program import compiled, run_models

        return run_models([compiled(file) for file in files_of(artefact)], batch)

    def script(self, model: TrainedModel, artefact: Path) -> str:
        """Return code that runs the model, or the stages one after the other, in OpenVINO."""
        from .program import FLOAT32

        names = [f"{stage.name}{SUFFIX}" for stage in stages_of(model.network)] or [artefact.name]
        return SCRIPT.format(files=names, options=FLOAT32)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the models in OpenVINO."""
        from .program import FLOAT32

        names = [stage.name for stage in stages_of(model.network)]
        files = {name: artefact / f"{name}{SUFFIX}" for name in names} or {"network": artefact}
        # On some processors OpenVINO would compute in bfloat16.
        lines = [
            f"{name} = openvino.compile_model({str(file)!r}, 'CPU', {FLOAT32})"
            for name, file in files.items()
        ]
        return "\n".join(["import openvino", *lines])


def files_of(artefact: Path) -> list[Path]:
    """Return the file of an export, or the files of its stages."""
    return sorted(artefact.glob(f"*{SUFFIX}")) if artefact.is_dir() else [artefact]
