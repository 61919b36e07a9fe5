"""The exporter ``onnx/onnx``."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core import Batch, Exporter, ImageInput, option, require_libraries, stages_of
from denas_core.errors import ConfigError

from . import LIBRARIES, OPSET

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import Tensor

    from denas_core import TrainedModel
    from denas_core.models import Deployable

MODEL, SUFFIX = "model", ".onnx"
PREPROCESSING = "preprocessing"
"""Key in the metadata of each file with the description of its inputs, as JSON."""

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
    The inputs are the same as the network's; with `preprocessing`, they are pictures. The metadata of each file say as
    JSON how the inputs are made, and have labels, normalisation and all other facts of the task.
    """

    standalone = True
    probe = "onnx/runtime"

    opset: int = option(OPSET, "Version of the ONNX operators", at_least=18, at_most=23)
    preprocessing: bool = option(
        False, "Resize and normalise pictures in the file: uint8 pictures of any size in, probabilities out"
    )

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the file, or one file for each stage, into `directory`.

        Raises:
            ConfigError: a library is missing, or the network cannot be traced or expressed in ONNX; or pictures should
                be prepared, and the network takes none.
        """
        require_libraries(*LIBRARIES)
        from denas_core.models import deployable_network, deployable_stages, file_facts

        from .program import onnx_program, save_program, weight_bytes

        stages = deployable_stages(model)
        image = self._image(model, has_stages=bool(stages)) if self.preprocessing else None
        network = deployable_network(model)
        facts = file_facts(model, network.output_names, **self.own_inputs(model))
        properties = {name: json.dumps(value) for name, value in facts.items()}
        for name, module in (stages or {MODEL: network}).items():
            program = onnx_program(module, opset=self.opset)
            program.model.metadata_props.update(properties)
            path = directory / f"{name}{SUFFIX}"
            if image is None:
                save_program(program, path, weights=weight_bytes(module))
            else:
                self._save_with_preparation(program.model_proto, path, model, module, image)
        return directory if stages else directory / f"{MODEL}{SUFFIX}"

    def own_inputs(self, model: TrainedModel) -> Mapping[str, Any]:
        """Return that the file takes pictures as they are, if it does."""
        if not self.preprocessing:
            return {"inside": False}
        from denas_core.models import deployable_network

        shape = ["batch", "height", "width", 3]
        return {
            "inside": True,
            "inputs": [{"name": "images", "shape": shape, "dtype": "uint8"}],
            "outputs": ["probabilities"],
            "logits": deployable_network(model).output_names[0],
        }

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Run the file, or the stages one after the other, in ONNX Runtime, and return the logits.

        If the file prepares pictures, the network in it is run without the preparation.
        """
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Return a function that runs the file or the stages, which are loaded once."""
        from .program import open_session, run_sessions

        sessions = [open_session(file) for file in files_of(artefact)]
        described = json.loads(sessions[0].get_modelmeta().custom_metadata_map.get(PREPROCESSING, "{}"))
        if described.get("inside"):
            from .pictures import network_in

            network = network_in(artefact, input=described["input"], output=described["logits"])
            sessions = [open_session(network.SerializeToString())]
        return functools.partial(run_sessions, sessions)

    def script(self, model: TrainedModel, artefact: Path) -> str:
        """Return code that runs the file, or the stages one after the other, in ONNX Runtime.

        There is none for a file that prepares pictures itself: the code of a task prepares them, too.
        """
        if self.preprocessing:
            return ""
        names = [f"{stage.name}{SUFFIX}" for stage in stages_of(model.network)] or [artefact.name]
        return SCRIPT.format(files=names)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the files in ONNX Runtime."""
        names = [stage.name for stage in stages_of(model.network)]
        files = {name: artefact / f"{name}{SUFFIX}" for name in names} or {"session": artefact}
        lines = [f"{name} = onnxruntime.InferenceSession({str(file)!r})" for name, file in files.items()]
        return "\n".join(["import onnxruntime", *lines])

    def _image(self, model: TrainedModel, *, has_stages: bool) -> ImageInput:
        found = model.preprocessing()
        if isinstance(found, ImageInput) and not has_stages:
            return found
        kind = "unknown inputs" if found is None else f"inputs of the kind {found.kind!r}"
        raise ConfigError(
            f"export.preprocessing prepares pictures in the file, and this network of {model.space.id!r} takes {kind}; "
            "export it without this option"
        )

    def _save_with_preparation(
        self, network: ModelProto, path: Path, model: TrainedModel, module: Deployable, image: ImageInput
    ) -> None:
        from .pictures import with_preparation
        from .pictures_check import check_pictures
        from .program import LARGEST_FILE, weight_bytes

        if weight_bytes(module) > LARGEST_FILE:
            raise ConfigError(
                "the weights are too large for one file; export them without export.preprocessing"
            )
        whole = with_preparation(network, image, output=module.output_names[0], opset=self.opset)
        path.write_bytes(whole.SerializeToString())
        check_pictures(path, model, module, image)


def files_of(artefact: Path) -> list[Path]:
    """Return the file of an export, or the files of its stages."""
    return sorted(artefact.glob(f"*{SUFFIX}")) if artefact.is_dir() else [artefact]
