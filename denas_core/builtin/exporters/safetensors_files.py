"""The exporter ``builtin/safetensors``: weights, a JSON file and a model card, which DE-NAS loads."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.contracts.component import Component
from denas_core.contracts.exporter import Exporter
from denas_core.errors import ConfigError
from denas_core.models.trained import save_model
from denas_core.registry.loading import Plugin
from denas_core.registry.registry import Registry
from denas_core.system.atomic import write_atomically
from denas_core.values.batch import Batch

from .model_card import render_card

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.trained_model import TrainedModel

MODEL_CARD = "README.md"


@dataclasses.dataclass(kw_only=True)
class Safetensors(Exporter):
    """Weights as safetensors, everything else as JSON, and a model card. Loading the files runs no code in them.

    DE-NAS and the plugin of the search space are needed to run the network.
    """

    tolerance = 1e-6

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the model into `directory`, which the user opens.

        Raises:
            ConfigError: no installed plugin provides the space, so the model could not be loaded again.
        """
        plugins = [_plugin(component) for component in (model.space, model.task) if component is not None]
        save_model(directory, model)
        requirements = [f"{plugin.distribution}=={plugin.version}" for plugin in plugins]
        card = render_card(
            model,
            requirements=list(dict.fromkeys(requirements)),
            usage=self.usage(model, Path("PATH")),
        )
        write_atomically(directory / MODEL_CARD, card)
        return directory

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load the model as DE-NAS does, and return its logits."""
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Load the model once, and return a function that runs it."""
        import torch

        from denas_core.models.trained import load_model

        model = load_model(artefact)

        def run(batch: Batch) -> dict[str, Tensor]:
            with torch.inference_mode():
                return dict(model.space.forward(model.network, batch).logits)

        return run

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the network, with the `load` of the package of its space if there is one."""
        package = type(model.space).__module__.partition(".")[0]
        path = str(artefact)
        if callable(getattr(sys.modules[package], "load", None)):
            return f"import {package}\nnetwork = {package}.load({path!r})"
        return f"from denas_core import load_model\nnetwork = load_model({path!r}).network"


def _plugin(component: Component) -> Plugin:
    registry = Registry.discover()
    for plugin in registry.plugins:
        if plugin.status == "ok" and plugin.name == component.id.partition("/")[0]:
            return plugin
    raise ConfigError(
        f"no installed plugin provides {component.id!r}, so these weights could not be loaded again; put it into a "
        "plugin ('denas new-plugin'), or export to torch-export"
    )
