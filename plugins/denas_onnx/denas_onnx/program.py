"""Networks as ONNX programs, for batches of any size."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime  # type: ignore[import-untyped]
import torch

from denas_core.errors import ConfigError, describe_error
from denas_core.models import Deployable, dimension_names, traced

from . import OPSET

if TYPE_CHECKING:
    from denas_core import Batch

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
            f"this network of {module.space.id!r} has no form in ONNX opset {opset}: {describe_error(error, 300)}; "
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


def run_stages(sessions: Sequence[onnxruntime.InferenceSession], batch: Batch) -> dict[str, torch.Tensor]:
    """Return what programs make of a batch, by name, without what one makes for another.

    Each runs as soon as there is what it takes: inputs of the batch, and outputs of others.
    """
    known = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
    taken = {session: [each.name for each in session.get_inputs()] for session in sessions}
    found: dict[str, Any] = {}
    waiting = list(sessions)
    while waiting:
        session = next(each for each in waiting if known.keys() >= {*taken[each]})
        waiting.remove(session)
        names = [output.name for output in session.get_outputs()]
        outputs = dict(
            zip(names, session.run(names, {name: known[name] for name in taken[session]}), strict=True)
        )
        known |= outputs
        found |= outputs
    used = {name for names in taken.values() for name in names}
    return {name: torch.from_numpy(array) for name, array in found.items() if name not in used}


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
