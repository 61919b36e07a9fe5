"""Convert networks to OpenVINO models for batches of any size, and run them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, describe_error
from denas_core.models import Deployable, LoadedStage, run_stages, traced

if TYPE_CHECKING:
    import openvino  # type: ignore[import-untyped]
    import torch

    from denas_core import Batch

FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}
"""Without it, OpenVINO computes in bfloat16 on processors that can."""


def openvino_model(module: Deployable) -> openvino.Model:
    """Return `module` as an OpenVINO model in float32; inputs and outputs have the same names as in its space.

    Raises:
        ConfigError: torch cannot trace the network, or OpenVINO has no translation of an operator.
    """
    import openvino

    program = traced(module)
    try:
        # The converter calls functions of torch that warn that they are deprecated.
        with warnings.catch_warnings(action="ignore"):
            model = openvino.convert_model(program)
    except Exception as error:
        raise ConfigError(
            f"OpenVINO {openvino.__version__} cannot convert this network of {module.space.id!r}: "
            f"{describe_error(error, 300)}; export it to torch-export"
        ) from error
    for ports, names in ((model.inputs, module.input_names), (model.outputs, module.output_names)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    return model


def compiled(
    model: openvino.Model | Path, *, threads: int = 0, options: Mapping[str, Any] = FLOAT32
) -> openvino.CompiledModel:
    """Return a model, or the one in a file, compiled for the processor.

    Args:
        model: The model or its ``.xml`` file.
        threads: Number of threads of one call; with 0, OpenVINO chooses.
        options: Other options of the processor's plugin.
    """
    import openvino

    given = {**options, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
    return openvino.Core().compile_model(model, "CPU", given)


def run_models(models: Sequence[openvino.CompiledModel], batch: Batch) -> dict[str, torch.Tensor]:
    """Run the models of a network on a batch, and return the outputs of the network by name."""
    import torch

    arrays = {name: tensor.numpy() for name, tensor in batch.inputs.items()}
    found = run_stages([_stage(model) for model in models], arrays)
    # The arrays belong to the models, which may be gone before the outputs are compared.
    return {name: torch.tensor(array) for name, array in found.items()}


def _stage(model: openvino.CompiledModel) -> LoadedStage:
    names = [port.any_name for port in model.inputs]

    def run(arrays: Sequence[Any]) -> list[Any]:
        results = model(dict(zip(names, arrays, strict=True)))
        return [results[port] for port in model.outputs]

    outputs = tuple(port.any_name for port in model.outputs)
    return LoadedStage(inputs=tuple(names), outputs=outputs, run=run)
