"""The exporter contract: a form of a trained model that is proven before it is kept."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from .component import Component

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.values.batch import Batch

    from .trained_model import TrainedModel


@dataclasses.dataclass(kw_only=True)
class Exporter(Component, ABC):
    """A way to write a trained model so that it runs elsewhere.

    A subclass is a keyword-only dataclass whose fields are its options. It writes and it runs what it has written; the
    core compares outputs on batches of several sizes, and keeps nothing that differs, see `denas_core.models.export`.

    A complete exporter, and what it writes of a network of a sample space:

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
    """Largest difference from the model's own outputs, relative to the largest of them."""

    standalone: ClassVar[bool] = False
    """Whether what it writes runs where DE-NAS is not installed, for some networks at least."""

    def is_standalone(self, model: TrainedModel) -> bool:
        """Return whether what it writes of `model` runs where DE-NAS is not installed; by default `standalone`."""
        return self.standalone

    @abstractmethod
    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write `model` into the empty `directory`, and return the path of what a user would open.

        The directory is renamed later: nothing in it may hold its path.

        Raises:
            ConfigError: the network cannot be written in this form; says why.
        """

    @abstractmethod
    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load what `write` returned, as its user would, and return its logits for `batch`, by name.

        Args:
            artefact: What `write` returned.
            batch: Inputs alone, without masks and lengths, of any number of samples.
        """

    @abstractmethod
    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return the lines of Python with which a user loads what was written, complete and without a prompt.

        Args:
            model: What was written.
            artefact: Where it will be; it may not be there yet.
        """
