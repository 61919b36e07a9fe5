"""The exporter ``executorch/executorch``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core import Batch, Exporter, captured_stderr, option, require_libraries, silent_libraries
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import TrainedModel

MODEL = "model.pte"

SCRIPT = """\
import json

import torch
from executorch.runtime import Runtime

PROGRAM = Runtime.get().load_program(HERE / {file!r})
FACTS = json.loads(PROGRAM.load_method({facts!r}).execute([])[0])
METHODS = [(PROGRAM.load_method(each["name"]), each) for each in FACTS["methods"]]


def run(inputs):
    size, most = len(next(iter(inputs.values()))), FACTS["largest"]["batch"]
    parts = [
        run_once({{name: array[start : start + most] for name, array in inputs.items()}})
        for start in range(0, size, most)
    ]
    return {{name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}}


def run_once(inputs):
    known = {{name: torch.from_numpy(array) for name, array in inputs.items()}}
    for method, names in METHODS:
        outputs = method.execute([known[name] for name in names["inputs"]])
        known.update(zip(names["outputs"], outputs))
    return {{name: known[name] for name in FACTS["preprocessing"]["outputs"]}}
"""


@dataclasses.dataclass(kw_only=True)
class ExecuTorch(Exporter):
    """An ExecuTorch program in float32 for XNNPACK, for phones and other small devices.

    Operators that XNNPACK does not have run with ExecuTorch's own kernels. The program has the method ``forward``. A
    network of several stages has a method for each stage.
    The method ``denas`` returns JSON with names and sizes of inputs and outputs, labels, normalisation and all other
    facts of the task.
    """

    standalone = True
    probe = "executorch/runtime"

    batch_size: int = option(
        1,
        "Largest number of samples of a call, for which the program reserves memory",
        at_least=1,
        at_most=65536,
    )
    longest: float = option(
        4.0,
        "Largest input without a limit of its own, as a multiple of the inputs of the space",
        at_least=1,
        at_most=1000,
    )

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the program into `directory`.

        Raises:
            ConfigError: ExecuTorch is not installed, or the network cannot be traced or expressed in ExecuTorch.
        """
        require_libraries("executorch")
        from denas_core.models import deployable_network, deployable_stages, file_facts

        from .program import FORWARD, program_bytes

        network = deployable_network(model)
        facts = file_facts(model, network.output_names, **self.own_inputs(model))
        program = program_bytes(
            deployable_stages(model) or {FORWARD: network},
            facts=facts,
            batch_size=self.batch_size,
            longest=self.longest,
        )
        path = directory / MODEL
        path.write_bytes(program)
        return path

    def own_inputs(self, model: TrainedModel) -> Mapping[str, Any]:
        """Return the largest size of each dimension of the inputs that may have any size in the network."""
        from denas_core.models import deployable_network

        from .program import largest_sizes

        sizes = largest_sizes([deployable_network(model)], batch_size=self.batch_size, longest=self.longest)
        return {"largest": sizes}

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Run the program in ExecuTorch, with as many samples at once as it takes, and return the logits.

        Raises:
            ConfigError: ExecuTorch cannot run the program. This happens for networks with inputs of any size.
        """
        with silent_libraries("torch"), captured_stderr() as written:
            try:
                return self.opened(artefact)(batch)
            except RuntimeError as error:
                # The line of the first failure, such as "[et_view.cpp:102] Check failed", says more than the code.
                reason = next((line for line in written().splitlines() if "ailed" in line), str(error))
                raise ConfigError(
                    f"ExecuTorch cannot run what it made of this network: {reason}; export it to onnx"
                ) from error

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Return a function that runs the program, which is loaded once."""
        require_libraries("executorch")
        from .loaded import load_program

        return load_program(artefact).outputs

    def script(self, model: TrainedModel, artefact: Path) -> str:
        """Return code that runs the program in ExecuTorch, which itself needs torch in Python."""
        from .program import FACTS

        return SCRIPT.format(file=artefact.name, facts=FACTS)

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the program in ExecuTorch."""
        return (
            f"from executorch.runtime import Runtime\nprogram = Runtime.get().load_program({str(artefact)!r})"
        )
