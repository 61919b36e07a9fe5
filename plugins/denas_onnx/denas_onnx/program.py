"""Networks as ONNX programs, for batches of any size."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime  # type: ignore[import-untyped]
import torch

from denas_core.deployable import Deployable, dimension_names, named_outputs, traced
from denas_core.errors import ConfigError
from denas_core.one_line import described

from . import OPSET

if TYPE_CHECKING:
    from denas_core.batch import Batch

LARGEST_FILE = 2_000_000_000
"""Bytes of weights up to which they are in the file itself: ONNX files end at 2 GiB."""


def onnx_program(module: Deployable, *, opset: int = OPSET) -> torch.onnx.ONNXProgram:
    """Return `module` as an ONNX program in float32, its inputs and outputs named as those of its space.

    Raises:
        ConfigError: an operator of the network has no translation, or not in this opset; says why.
    """
    program = traced(module)
    try:
        with _quiet():
            found = torch.onnx.export(
                program,
                dynamo=True,
                input_names=list(module.input_names),
                output_names=list(module.output_names),
                # The names of the dimensions; that they are dynamic is in the program.
                dynamic_shapes=(dimension_names(module),),
                opset_version=opset,
                verbose=False,
            )
    except Exception as error:
        raise ConfigError(
            f"this network of {module.space.id!r} has no form in ONNX opset {opset}: {described(error, 300)}; "
            "export it to torch-export"
        ) from error
    assert found is not None
    return found


def save_program(program: torch.onnx.ONNXProgram, path: Path, *, weights: int) -> None:
    """Write a program; weights of more than `LARGEST_FILE` bytes lie in a second file beside it."""
    with _quiet():
        program.save(path, external_data=weights > LARGEST_FILE)


def weight_bytes(module: torch.nn.Module) -> int:
    """Return the size of the weights and buffers of `module`."""
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())


def open_session(path: Path, *, threads: int = 0, device: str = "cpu") -> onnxruntime.InferenceSession:
    """Return ONNX Runtime with a program, all optimisations on.

    Args:
        path: The file.
        threads: Threads of one call; 0 leaves it to ONNX Runtime.
        device: ``cpu`` or ``cuda``.

    Raises:
        ConfigError: this ONNX Runtime does not know the device.
    """
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[device]
    if provider not in onnxruntime.get_available_providers():
        raise ConfigError(
            f"onnxruntime {onnxruntime.__version__} has no {provider}; install onnxruntime-gpu, or use --device cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Warnings of the optimiser are for who writes operators.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=[provider])


def session_outputs(session: onnxruntime.InferenceSession, batch: Batch) -> dict[str, torch.Tensor]:
    """Return what a program makes of a batch, by name."""
    inputs = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
    names = [output.name for output in session.get_outputs()]
    arrays: list[Any] = session.run(names, inputs)
    return named_outputs(names, [torch.from_numpy(array) for array in arrays])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # It tells of operators of libraries that are not installed, and of its own deprecated calls.
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
