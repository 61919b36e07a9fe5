"""What a tracker shows of a search or a training: its place, its name and its configuration."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.runs.files import BUILD, is_run

FOLDER = "trackers"
"""A folder of a run, or of a build, with the logs of MLflow, Weights & Biases and Trackio."""

EVENTS = "events"
"""The folder of TensorBoard's files in the directory of a search or a training."""

DEEPEST = 4
"""Folders between a run and a training in it, at most: ``race``, ``3-epochs`` and one for the network."""

Plain = bool | int | float | str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A search or a training, as trackers show it.

    Attributes:
        directory: Its directory: that of the run, or of the training.
        folder: The folder of all trackers of its run or build.
        project: The name of its run or build.
        name: What it is there, such as ``search`` or ``race/3-epochs/0123456789abcdef``.
        settings: Its configuration, one plain value for each name with dots.
    """

    directory: Path
    folder: Path
    project: str
    name: str
    settings: Mapping[str, Plain]

    @classmethod
    def of(cls, directory: Path, kind: str, settings: Mapping[str, Any]) -> Experiment:
        """Return the experiment in a directory.

        Args:
            directory: The directory of a run, or of a training. A training may lie in a run, and a run in a build.
            kind: Its name if it lies in no other one.
            settings: Its configuration, whose values may be nested.
        """
        directory = directory.absolute()
        above = [directory, *list(directory.parents)[:DEEPEST]]
        owners = [path for path in above if is_run(path) or (path / BUILD).is_file()]
        owner = owners[-1] if owners else directory
        relative = directory.relative_to(owner).as_posix()
        return cls(
            directory=directory,
            folder=owner / FOLDER,
            project=owner.name or "denas",
            name=kind if relative == "." else relative,
            settings=flatten(settings),
        )


def flatten(settings: Mapping[str, Any], *, prefix: str = "") -> dict[str, Plain]:
    """Return nested values as plain ones: ``{"space": {"classes": 10}}`` becomes ``{"space.classes": 10}``."""
    found: dict[str, Plain] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flatten(value, prefix=f"{prefix}{name}.")
        elif value is None or isinstance(value, (bool, int, float, str)):
            found[f"{prefix}{name}"] = value
        else:
            found[f"{prefix}{name}"] = json.dumps(value, default=str)
    return found
