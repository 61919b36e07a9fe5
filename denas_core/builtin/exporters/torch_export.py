"""The exporter ``builtin/torch-export``: a program that plain PyTorch runs."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.contracts.exporter import Exporter
from denas_core.system.silence import silent_libraries
from denas_core.values.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.trained_model import TrainedModel

PROGRAM = "model.pt2"
NAMES = "denas.json"
"""File in the archive of the program with names of inputs and outputs, labels and other facts."""


@dataclasses.dataclass(kw_only=True)
class TorchExport(Exporter):
    """A torch.export program (.pt2) for batches of any size, which plain PyTorch runs and compiles.

    It takes the inputs of the network, normalised as ``card.json`` says. PyTorch reads parts of a .pt2 file as pickles,
    so open only files that you trust.
    """

    standalone = True
    # The program runs the same operators, at most in another order.
    tolerance = 1e-6

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the program into `directory`.

        Raises:
            ConfigError: torch cannot trace the network, or only for one batch size.
        """
        import torch

        from denas_core.models.deployable import deployable_network, traced
        from denas_core.models.export import describe_inputs

        module = deployable_network(model)
        names = {
            "inputs": module.input_names,
            "outputs": module.output_names,
            "facts": dict(model.facts),
            "preprocessing": describe_inputs(model, module.output_names),
        }
        artefact = directory / PROGRAM
        # The program is written to memory first: on a full disk, the writer of torch would end the process.
        archive = io.BytesIO()
        torch.export.save(traced(module), archive, extra_files={NAMES: json.dumps(names)})
        artefact.write_bytes(archive.getbuffer())
        return artefact

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load the program as plain PyTorch does, and return its logits."""
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Load the program once, and return a function that runs it."""
        import torch

        from denas_core.models.deployable import named_outputs

        files = {NAMES: ""}
        # Of a damaged file, torch logs a traceback before it raises its error.
        with silent_libraries("torch"):
            program = torch.export.load(artefact, extra_files=files).module()
        names = json.loads(files[NAMES])

        def run(batch: Batch) -> dict[str, Tensor]:
            with torch.inference_mode():
                found = program(*(batch.inputs[name] for name in names["inputs"]))
            return named_outputs(names["outputs"], found)

        return run

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the program with plain PyTorch."""
        return f"import torch\nnetwork = torch.export.load({str(artefact)!r}).module()"
