"""Convert networks to ONNX programs for batches of any size, and run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime  # type: ignore[import-untyped]
import torch

from denas_core import silent_libraries
from denas_core.errors import ConfigError, describe_error
from denas_core.models import Deployable, LoadedStage, dimension_names, run_stages, traced

from . import OPSET
from .operator_times import PROVIDERS, session_options

if TYPE_CHECKING:
    from denas_core import Batch

EXPORTER = "torch.onnx"
"""The logger of torch's exporter, which warns about operators of libraries that are not installed, and about its own
deprecated calls."""

LARGEST_FILE = 2_000_000_000
"""Largest size in bytes of weights that are stored in the file itself; ONNX files are limited to 2 GiB."""


def onnx_program(module: Deployable, *, opset: int = OPSET) -> torch.onnx.ONNXProgram:
    """Return `module` as an ONNX program in float32; inputs and outputs have the same names as in its space.

    Raises:
        ConfigError: an operator of the network has no translation in this opset; the text gives the reason.
    """
    program = traced(module)
    try:
        with silent_libraries(EXPORTER):
            found = torch.onnx.export(
                program,
                dynamo=True,
                input_names=list(module.input_names),
                output_names=list(module.output_names),
                # These are only the names of the dimensions; the program already marks them as dynamic.
                dynamic_shapes=(dimension_names(module),),
                opset_version=opset,
                verbose=False,
            )
    except Exception as error:
        raise ConfigError(
            f"this network of {module.space.id!r} cannot be expressed in ONNX opset {opset}: "
            f"{describe_error(error, 300)}; export it to torch-export"
        ) from error
    assert found is not None
    _forget_sources(found)
    return found


def _forget_sources(program: torch.onnx.ONNXProgram) -> None:
    """Remove where each operator comes from: these are paths of this machine."""
    graphs: list[Any] = [program.model.graph, *program.model.functions.values()]
    for graph in graphs:
        graph.metadata_props.clear()
        for node in graph.all_nodes():
            node.metadata_props.clear()


def save_program(program: torch.onnx.ONNXProgram, path: Path, *, weights: int) -> None:
    """Write a program; if its weights exceed `LARGEST_FILE` bytes, they go to a second file beside it."""
    with silent_libraries(EXPORTER):
        program.save(path, external_data=weights > LARGEST_FILE)


def weight_bytes(module: torch.nn.Module) -> int:
    """Return the size of the weights and buffers of `module` in bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())


def open_session(
    path: Path | bytes,
    *,
    threads: int = 0,
    device: str = "cpu",
    optimisations: str = "all",
    parallel: bool = False,
) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session for a program.

    Args:
        path: The file, or its content.
        threads: Number of threads of one call; with 0, ONNX Runtime chooses.
        device: ``cpu`` or ``cuda``.
        optimisations: One of `operator_times.LEVELS`.
        parallel: Whether operators that do not depend on each other run at once, on as many threads again.

    Raises:
        ConfigError: the installed ONNX Runtime does not support the device.
    """
    provider = PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        raise ConfigError(
            f"onnxruntime {onnxruntime.__version__} has no {provider}; install onnxruntime-gpu, or use --device cpu"
        )
    options = session_options(threads=threads, optimisations=optimisations, parallel=parallel)
    return onnxruntime.InferenceSession(path, options, providers=[provider])


def run_sessions(sessions: Sequence[onnxruntime.InferenceSession], batch: Batch) -> dict[str, torch.Tensor]:
    """Run the programs of a network on a batch, and return the outputs of the network by name."""
    arrays = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
    found = run_stages([_stage(session) for session in sessions], arrays)
    return {name: torch.from_numpy(array) for name, array in found.items()}


def _stage(session: onnxruntime.InferenceSession) -> LoadedStage:
    inputs = tuple(each.name for each in session.get_inputs())
    outputs = tuple(each.name for each in session.get_outputs())
    return LoadedStage(
        inputs=inputs,
        outputs=outputs,
        run=lambda arrays: session.run(outputs, dict(zip(inputs, arrays, strict=True))),
    )
