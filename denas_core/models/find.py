"""Where the trained model of a run is, and the run's best architecture for those who want it untrained."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.runs.inventory import is_run

from .trained import WEIGHTS, TrainedModel, build_network, load_model

if TYPE_CHECKING:
    from torch import nn

MODEL = Path("training") / "model"
"""Where training leaves the best model of a run."""


def find_model(path: Path, *, otherwise: str = "") -> Path:
    """Return the model directory that `path` is, or that of the run that it is.

    Args:
        path: Either.
        otherwise: What else can be done with a run that is not trained, for the error.

    Raises:
        ConfigError: it is neither, or the run is not trained.
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
        StoreDamaged: the files do not belong together.
    """
    return load_model(find_model(path)).network


def untrained_model(run: Path, registry: Registry) -> TrainedModel:
    """Return the best network of a run with fresh weights under the run's seed.

    Raises:
        ConfigError: there is no run, or it has no best architecture yet.
    """
    from denas_core.setup.config import make_config, read_document
    from denas_core.system.guarded_yaml import read_text

    best = run / "best.json"
    if not is_run(run) or not best.is_file():
        raise ConfigError(
            f"{str(run)!r} is no run with a best architecture ({best.name} is missing); finish its search first"
        )
    document, text = read_document(str(run / "config.yaml"))
    config = make_config(document, origin=str(run / "config.yaml"), text=text)
    space = registry.create("space", config.space.name, config.space.options)
    arch = space.parse(read_text(str(best)), origin=str(best))
    network = space.load(build_network(space, arch), arch, seed=config.seed)
    return TrainedModel(
        space=space,
        arch=arch,
        network=network.eval(),
        history={"run": str(run), "weights": "fresh", "seed": config.seed},
    )
