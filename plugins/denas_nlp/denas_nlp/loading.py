"""Load trained networks of texts as plain PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def load(path: Path | str) -> nn.Module:
    """Return a trained network in eval mode on the CPU: a transformers model that takes ``input_ids`` and masks.

    Labels and tokenizer are in ``denas_core.load_model(path).facts`` and in ``model.json`` beside the weights.

    Args:
        path: A folder that ``denas export --to safetensors`` wrote, a model directory, or a trained run.

    Raises:
        ConfigError: there is no model at `path`.
        StoreDamaged: the files do not belong together.
    """
    from denas_core import load_network

    return load_network(Path(path))
