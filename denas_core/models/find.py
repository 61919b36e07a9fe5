"""Finding the trained model of a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError
from denas_core.runs.files import MODEL, is_run

from .trained import WEIGHTS, load_model

if TYPE_CHECKING:
    from torch import nn


def find_model(path: Path, *, otherwise: str = "") -> Path:
    """Return the directory of a trained model: `path` itself, or the model of the run at `path`.

    Args:
        path: A model directory or a run directory.
        otherwise: Text for the error that says what else can be done with a run that is not trained.

    Raises:
        ConfigError: the path is neither, or the run is not trained.
    """
    for directory in (path, path / MODEL, path / MODEL.name):
        if (directory / WEIGHTS).is_file():
            return directory
    if is_run(path):
        raise ConfigError(
            f"run {str(path)!r} is not trained; train it first: denas train {shlex.quote(str(path))} --data DATA"
            f"{otherwise}"
        )
    raise ConfigError(f"{str(path)!r} is neither a run nor a trained model; 'denas search' makes a run")


def load_network(path: Path) -> nn.Module:
    """Return the trained network of a run or a model directory, in eval mode on the CPU.

    Raises:
        ConfigError: there is no model.
        StoreDamaged: the file of the model is damaged.
    """
    return load_model(find_model(path)).network
