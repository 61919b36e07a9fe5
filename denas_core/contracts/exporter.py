"""The exporter contract: a file format for trained models, checked before an export is kept."""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .component import Component

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.values.batch import Batch

    from .trained_model import TrainedModel


@dataclasses.dataclass(kw_only=True)
class Exporter(Component, ABC):
    """A way to write a trained model so that it runs elsewhere.

    A subclass is a keyword-only dataclass whose fields are its options. It can write a model, and run the model that it
    has written. The core compares the outputs of both on batches of several sizes, and removes an export whose outputs
    differ, see `denas_core.models.export`.

    A complete exporter, which writes a network of a sample space:

    >>> import dataclasses
    >>> import tempfile
    >>> from pathlib import Path
    >>> import torch
    >>> from denas_core import Exporter, TrainedModel
    >>> from denas_core.models import build_network, deployable_network, export_model, traced
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Program(Exporter):
    ...     standalone = True
    ...
    ...     def write(self, model, directory):
    ...         path = directory / "model.pt2"
    ...         torch.export.save(traced(deployable_network(model)), path)
    ...         return path
    ...
    ...     def outputs(self, artefact, batch):
    ...         program = torch.export.load(artefact).module()
    ...         with torch.no_grad():
    ...             return {"logits": program(*batch.inputs.values())}
    ...
    ...     def usage(self, model, artefact):
    ...         return f"import torch; program = torch.export.load({str(artefact)!r}).module()"
    >>> space = SampleMLP()
    >>> arch = space.smallest()
    >>> network = space.load(build_network(space, arch), arch, seed=0).eval()
    >>> model = TrainedModel(space=space, arch=arch, network=network)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_model(Program(), model, Path(folder) / "export").path.name
    'model.pt2'
    """

    tolerance: ClassVar[float] = 1e-5
    """Largest allowed difference from the model's own outputs, as a fraction of the largest output."""

    probe: ClassVar[str] = ""
    """Id of the latency probe of the runtime that runs exports of this form; empty if there is none."""

    standalone: ClassVar[bool] = False
    """Whether exports can run where DE-NAS is not installed. True if that holds for some networks."""

    streams: ClassVar[bool] = False
    """Whether a network can be written whose weights are larger than memory, see `SearchSpace.stream`."""

    @property
    def form(self) -> str:
        """The name of the form for the user: the part of the id after its plugin, such as ``onnx``."""
        return self.id.rpartition("/")[2]

    def is_standalone(self, model: TrainedModel) -> bool:
        """Return whether the export of `model` runs where DE-NAS is not installed; by default `standalone`."""
        return self.standalone

    @abstractmethod
    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write `model` into the empty `directory`, and return the path of the file or folder that a user opens.

        The directory is renamed later, so no file in it may contain its path.

        Raises:
            ConfigError: the network cannot be written in this format. The text says why.
        """

    @abstractmethod
    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load the export as its user would, and return its logits for `batch`, by name.

        Args:
            artefact: The path that `write` returned.
            batch: Inputs of any number of samples, without masks and lengths.
        """

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Return a function like `outputs` for many batches; by default it loads the export for each of them."""
        return functools.partial(self.outputs, artefact)

    def own_inputs(self, model: TrainedModel) -> Mapping[str, Any]:
        """Return what `card.json` says about the inputs of this form, if they are not those of the network.

        By default nothing. A form that prepares inputs itself gives ``inside`` as True, and its own ``inputs`` and
        ``outputs``.
        """
        return {}

    def script(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that defines ``run(inputs)`` without DE-NAS and torch; by default, an empty string.

        The function takes and returns arrays of NumPy by name. The code may use ``HERE``, the folder of the export.

        Args:
            model: The model that was written.
            artefact: The path that `write` returned, relative to the folder of the export.
        """
        return ""

    @abstractmethod
    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code with which a user loads the export: complete lines, without a prompt.

        Args:
            model: The model that was written.
            artefact: The path that the export will have. It may not exist yet.
        """
