"""Tiny checkpoints in which some members do nothing, so that it is known which ones a smaller network should keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from denas_core.pretrained.silence import silent_transformers

from .tiny_models import checkpoint

SILENT = (0, 3, 5, 6, *range(20, 48))
"""Half of 64 neurons; the first ones are among them, so that `leading` keeps some."""


def changed(name: str, folder: Path, change: Callable[[str, Any], None]) -> Path:
    """Write a checkpoint whose parameters a function has changed in place, by name."""
    from transformers import AutoModel

    with silent_transformers(), torch.no_grad():
        network = AutoModel.from_pretrained(checkpoint(name))
        for key, parameter in network.named_parameters():
            change(key, parameter)
        network.save_pretrained(folder)
    return folder


def silence_neurons(key: str, parameter: Any) -> None:
    """Give half of the neurons of a BERT no input, so that they are 0 after the activation function."""
    if "intermediate.dense" in key:
        parameter[list(SILENT)] = 0


def silence_block(key: str, parameter: Any) -> None:
    """Let the second block of a GPT-2 add nothing to its input."""
    if key.startswith("h.1.") and "c_proj" in key:
        parameter.zero_()
