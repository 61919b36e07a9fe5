"""The exporter ``adapters/merged``: the checkpoint with the adapters added to its weights, for transformers alone."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core import TrainedModel, silent_libraries
from denas_core.builtin import HuggingFace
from denas_core.errors import ConfigError

from .adapting import adapted_layers

if TYPE_CHECKING:
    from torch import nn


@dataclasses.dataclass(kw_only=True)
class Merged(HuggingFace):
    """A folder of Hugging Face transformers in which the adapters are a part of the weights, like ``huggingface``.

    It is as large and as fast as the checkpoint, and needs neither peft nor DE-NAS.
    """

    tolerance = 1e-5

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the merged network into `directory`, which the user opens.

        Raises:
            ConfigError: the network has no adapters, or is not one of transformers.
        """
        from .space import Adapters

        if not isinstance(model.space, Adapters):
            raise ConfigError(
                f"networks of {model.space.id!r} have no adapters; export them with --to huggingface"
            )
        return super().write(dataclasses.replace(model, network=merged(model.network)), directory)


def merged(network: nn.Module) -> nn.Module:
    """Return a copy of `network` in which adapters are added to the weights, or multiply them."""
    network = copy.deepcopy(network)
    for name, layer in adapted_layers(network).items():
        with silent_libraries("peft"):
            layer.merge()
        network.set_submodule(name, layer.get_base_layer())
    return network.eval()
