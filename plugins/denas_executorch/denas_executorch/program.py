"""Convert networks to ExecuTorch programs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.utils._sympy.value_ranges import ValueRanges

from denas_core import captured_stderr, silent_libraries
from denas_core.errors import ConfigError, describe_error
from denas_core.models import Deployable, dimension_names, traced

FORWARD = "forward"
"""Name of the method of a network without stages."""

FACTS = "denas"
"""Name of the method that takes nothing and returns the facts of the network, as JSON."""

BATCH = "batch"


def program_bytes(
    modules: Mapping[str, Deployable], *, facts: Mapping[str, Any], batch_size: int, longest: float
) -> bytes:
    """Return a program with a method for each module, and one for the facts.

    Args:
        modules: The network or its stages, by the name of the method.
        facts: What the method `FACTS` returns, besides the names and sizes of the inputs and outputs.
        batch_size: Largest number of samples of a call.
        longest: Largest size of a dimension without a limit of its own, as a multiple of its size in the example.

    Raises:
        ConfigError: torch cannot trace a network, or an operator of it is not one of ExecuTorch's.
    """
    largest = largest_sizes(modules.values(), batch_size=batch_size, longest=longest)
    programs = {name: _program(module, largest) for name, module in modules.items()}
    methods = [
        {"name": name, "inputs": list(module.input_names), "outputs": list(module.output_names)}
        for name, module in modules.items()
    ]
    described = json.dumps({**facts, "methods": methods, "largest": largest})
    try:
        with silent_libraries("torch"), captured_stderr():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # type: ignore[import-untyped]
                XnnpackPartitioner,
            )
            from executorch.exir import to_edge_transform_and_lower  # type: ignore[import-untyped]

            lowered = to_edge_transform_and_lower(
                programs, partitioner=[XnnpackPartitioner()], constant_methods={FACTS: described}
            )
            return bytes(lowered.to_executorch().buffer)
    except Exception as error:
        space = next(iter(modules.values())).space.id
        raise ConfigError(
            f"this network of {space!r} cannot be expressed in ExecuTorch: {describe_error(error, 300)}; "
            "export it to torch-export"
        ) from error


def largest_sizes(modules: Iterable[Deployable], *, batch_size: int, longest: float) -> dict[str, int]:
    """Return the largest size of each dimension of the modules that is not fixed, by name."""
    found = {BATCH: batch_size}
    for module in modules:
        example = module.example(1)
        for tensor, names, open in zip(example, dimension_names(module), module.open, strict=True):
            for place, dimension in open.items():
                most = dimension.at_most or int(longest * tensor.shape[place])
                found.setdefault(names[place], most)
    return found


def _program(module: Deployable, largest: Mapping[str, int]) -> torch.export.ExportedProgram:
    """Return the traced module, whose dimensions have limits: ExecuTorch reserves memory for the largest sizes."""
    program = _traced(module, batch_size=largest[BATCH])
    tensors = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    # torch.export would refuse these limits for some networks, because it evaluates its own conditions with them.
    for input, names in zip(program.graph_signature.user_inputs, dimension_names(module), strict=True):
        for place, name in names.items():
            size = tensors[input].shape[place]
            if isinstance(size, torch.SymInt):
                symbol = size.node.expr
                limited = program.range_constraints[symbol] & ValueRanges(0, largest[name])
                program.range_constraints[symbol] = limited
                size.node.shape_env.var_to_range[symbol] = limited
    return program


def _traced(module: Deployable, *, batch_size: int) -> torch.export.ExportedProgram:
    if batch_size == 1:
        # A fixed size lets XNNPACK take more of the network. With it, torch cannot trace networks that compute one open
        # dimension from another, because it cannot show that the result is not 1.
        with contextlib.suppress(ConfigError):
            return traced(module, batch_size=1)
    return traced(module)
